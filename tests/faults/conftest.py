"""A platform to be killed, with one app of two instances on it."""

import pytest

from tools.rig.platform import Platform


@pytest.fixture(scope="module")
def here():
    made = Platform()
    try:
        yield made.up()
    finally:
        made.close()


@pytest.fixture(scope="module")
def load(here):
    folder = here.app("load")
    here.perron("deploy", str(folder), "-a", "load", "--create")
    here.perron("scale", "-a", "load", "web=2")
    return folder
