"""A browser, and a platform for the pages of one file; without Chromium these tests say so."""

import pytest

from tools.rig import pages
from tools.rig.browser import Browser
from tools.rig.chromium import MISSING, found
from tools.rig.platform import Platform


@pytest.fixture(scope="module")
def browser():
    if not found():
        pytest.skip(MISSING)
    made = Browser()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def here():
    made = Platform()
    try:
        yield made.up()
    finally:
        made.close()


@pytest.fixture(scope="module")
def page(browser, shop):
    """A page where the administrator is signed in to the shop of this file."""
    made = browser.page()
    pages.sign_in(made, shop)
    return made
