"""Whole journeys on a real platform, shared by the tests of one file."""

import pytest

from tools.rig.platform import Platform


@pytest.fixture(scope="module")
def here():
    made = Platform()
    try:
        yield made.up()
    finally:
        made.close()
