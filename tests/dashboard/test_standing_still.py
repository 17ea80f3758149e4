"""A deploy that is followed moves nothing else of the page: not as it comes, not as it goes."""

import threading

import pytest

from tools.rig import pages

SHIFT = 0.02
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def shop(here):
    folder = here.app("shop")
    procfile = folder / "Procfile"
    procfile.write_text("web: python3 server.py\nrelease: sleep 2\n")
    here.perron("deploy", str(folder), "-a", "shop", "--create")
    return here


def deploying(here, word):
    """Deploy a changed shop as somebody else would, meanwhile."""
    server = here.folder / "shop" / "server.py"
    server.write_text(server.read_text() + f"\n# {word}\n")
    going = threading.Thread(target=here.perron, args=("deploy", str(server.parent), "-a", "shop"))
    going.start()
    return going


@pytest.mark.parametrize("width", [1440, 390])
def test_a_board_that_comes_while_one_looks_moves_nothing(page, shop, width):
    page.size(width)
    page.go(pages.address(shop, "/apps/shop"))
    if page.read("document.querySelector('#news').childElementCount"):
        page.read("document.querySelector('#news').replaceChildren()")  # as if it were old news
        page.until("window.__shift > 0.01")
    page.read("window.__shift = 0; window.__moved = []")
    going = deploying(shop, f"wide {width}")
    page.until("document.querySelector('.afloat .board')?.innerText.includes('is going live')", 20)
    going.join()
    page.until("document.querySelector('.afloat .settled')?.innerText.includes('Live')", 30)
    assert page.shift() <= SHIFT, page.read("JSON.stringify(window.__moved)")
    if width == 1440:
        page.click(".afloat [data-hide]")
        page.until("document.querySelector('.afloat').hidden")
    assert page.wrong() == []


def test_a_board_that_was_there_already_ends_without_moving_anything(page, shop):
    page.size(1440)
    going = deploying(shop, "in place")
    page.until("(location.reload(), !!document.querySelector('#news .board'))", 20)
    page.go(pages.address(shop, "/apps/shop"))
    assert page.read("!!document.querySelector('main #news .board')"), "the deploy takes 2 s"
    going.join()
    page.until("document.querySelector('.settled')?.innerText.includes('Live')", 30)
    assert page.shift() <= SHIFT, page.read("JSON.stringify(window.__moved)")
