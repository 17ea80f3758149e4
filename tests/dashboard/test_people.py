"""Two teams in two browsers: an invitation lets one person in, and no team sees another's."""

import pytest

from tools.rig import pages

pytestmark = pytest.mark.timeout(240)
NOWHERE = ("There is nothing here", "There is no such app")


@pytest.fixture(scope="module")
def owner(browser, here):
    here.perron("apps", "create", "shop")
    made = browser.page()
    pages.sign_in(made, here)
    return made


@pytest.fixture(scope="module")
def noor(browser, here, owner):
    """Somebody who came by an invitation into a team of their own."""
    owner.go(pages.address(here, "/teams"))
    owner.fill("[name=name]", "blue")
    owner.press("Enter")
    owner.at("/teams/blue")
    owner.read("document.querySelector('#f-role').value = 'owner'")
    owner.fill("#f-note", "noor")
    owner.press("Enter")
    owner.sees("The link is made")
    link = owner.read("document.querySelector('#invite-form [data-copy]').dataset.copy")
    made = browser.page()
    made.go(link)
    for name, value in (("handle", "noor"), ("name", "Noor"), ("password", "twelve oranges")):
        made.fill(f"[name={name}]", value)
    made.press("Enter")
    made.until(f"location.pathname !== new URL({link!r}).pathname", 20)
    made.settled()
    return made


def test_an_invitation_lets_one_person_in_once(here, owner, noor):
    noor.go(pages.address(here, "/teams/blue"))
    assert "you are an owner" in noor.text("main")
    owner.go(pages.address(here, "/teams/blue"))
    assert "noor" in owner.text("main table")
    assert "None waits to be used" in owner.text("main")


@pytest.mark.parametrize(
    "path", ["/apps/shop", "/apps/shop/logs", "/apps/shop/config", "/apps/shop/activity",
             "/teams/main"],
)  # fmt: skip
def test_what_another_team_has_is_not_there(here, noor, path):
    noor.go(pages.address(here, path))
    assert noor.text("h1") in NOWHERE
    assert "shop" not in noor.text("nav.tabs")


def test_another_teams_app_is_in_no_list_and_in_no_search(here, noor):
    noor.go(pages.address(here, "/"))
    assert "shop" not in noor.text("main")
    noor.press("Control+k")
    noor.type("shop")
    noor.until("document.querySelector('#results').innerText !== null")
    assert "/apps/shop" not in noor.read("document.querySelector('#results').innerHTML")
    noor.press("Escape")


def test_a_session_that_was_ended_elsewhere_shows_nothing_more(browser, here, noor):
    other = browser.page(like=noor)
    other.go(pages.address(here, "/you"))
    assert "(this one)" in other.text("main")
    other.click(".top [popovertarget=you]")
    other.click("#you form button")
    other.at("/login")
    noor.go(pages.address(here, "/you"))
    noor.at("/login")
    other.close()
