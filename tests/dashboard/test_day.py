"""One full day by keyboard only: sign in, deploy, scale, break, roll back, read the logs."""

import threading

import pytest

from tools.rig import pages
from tools.rig.platform import wait_until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def page(browser, here):
    here.app("shop")
    here.perron("deploy", str(here.folder / "shop"), "-a", "shop", "--create")
    made = browser.page()
    pages.sign_in(made, here)
    return made


def deploy(here, word):
    """Deploy a changed shop as somebody else would, meanwhile."""
    server = here.folder / "shop" / "server.py"
    server.write_text(server.read_text() + f"\n# {word}\n")
    folder = str(server.parent)
    going = threading.Thread(target=here.perron, args=("deploy", folder, "-a", "shop"))
    going.start()
    return going


def test_the_app_is_found_by_the_palette(page, here):
    page.press("Control+k")
    page.until("document.querySelector('#palette').open")
    page.type("shop")
    page.until("document.querySelector('#results').innerText.includes('shop')")
    page.press("Enter")
    page.at("/apps/shop")


def test_a_deploy_is_watched_as_it_goes(page, here):
    page.go(pages.address(here, "/apps/shop"))
    page.read(
        "window.board = ''; new MutationObserver(() => {"
        "window.board += document.querySelector('.board')?.innerText ?? ''; })"
        ".observe(document.body, {childList: true, subtree: true})"
    )
    deploy(here, "a second release").join()
    page.until("window.board.includes('is going live')")
    page.until("!document.querySelector('.board')", 30)
    page.until("document.querySelector('#figures').innerText.includes('2 went live')", 20)
    assert page.wrong() == []


def test_it_is_scaled(page, here):
    for tab in ("releases", "instances"):
        page.press("]")
        page.at(f"/apps/shop/{tab}")
    page.tab_to("[name='count.web']")
    page.read("document.activeElement.select()")
    page.type("2")
    page.press("Enter")
    page.until("document.querySelector('#instances').innerText.includes('web.2')", 30)
    wait_until(lambda: len(here.json("ps", "-a", "shop")) == 3, 20)


def test_it_breaks_and_the_page_says_so(page, here):
    here.status("shop.localhost", "/exit")
    page.until("document.querySelector('#instances').innerText.match(/fell|restarted|starts/i)", 30)
    wait_until(lambda: here.json("env", "-a", "shop")[0]["state"] == "healthy", 30)


def test_it_goes_back_to_the_release_before(page, here):
    page.press("[")
    page.at("/apps/shop/releases")
    page.tab_to("[commandfor=rollback], a[href*='to=']")
    page.press("Enter")
    page.until("document.querySelector('dialog#rollback')?.open", 10)
    page.tab_to("#rollback footer .primary")
    page.press("Enter")
    wait_until(lambda: here.json("releases", "-a", "shop")[0]["state"] == "live", 40)
    assert here.json("releases", "-a", "shop")[0]["rolled_back_to"] == 1


def test_the_logs_are_read_paused_and_searched(page, here):
    page.go(pages.address(here, "/apps/shop"))
    for tab in ("releases", "instances", "logs"):
        page.press("]")
        page.at(f"/apps/shop/{tab}")
    page.until("document.querySelector('#live').dataset.state === 'healthy'")
    page.read("document.activeElement.blur()")
    page.press(" ")
    page.until("document.querySelector('#pause').ariaPressed === 'true'")
    here.status("shop.localhost", "/say?text=hello%20from%20the%20shop")
    page.until("document.querySelector('#live').innerText.match(/Paused, [1-9]/)")
    assert "hello from the shop" not in page.text("#log")
    page.press(" ")
    page.until("document.querySelector('#log').innerText.includes('hello from the shop')")
    page.press("/")
    page.type("hello from")
    page.press("Enter")
    page.until("location.search.includes('text=hello')")
    page.settled()
    assert page.read("document.querySelector('#log mark').innerText") == "hello from"
    assert page.wrong() == []
