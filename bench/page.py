"""The start page over a thousand apps: what it costs the server, and when it is painted."""

from tools.rig import pages
from tools.rig.browser import Browser
from tools.rig.browser import Page as Tab
from tools.rig.platform import Platform, platform

from . import apps
from .figure import ROUNDS, Figure, cpu_seconds, median

EACH = 5  # pages in one round: the clock of a process ticks a hundred times a second


def start() -> list[Figure]:
    """Open the first hundred of a thousand apps, signed in, in a real browser."""
    browser = Browser()
    try:
        with platform() as here:
            apps.seed(here)
            tab = browser.page()
            pages.sign_in(tab, here)
            tab.go(pages.address(here))  # templates are read once
            costs = [_cost(here, tab) for _ in range(ROUNDS)]
            paints = [tab.go(pages.address(here)).first_paint() for _ in range(ROUNDS)]
    finally:
        browser.close()
    what = f"start page, 100 of {apps.MANY} apps"
    return [
        median(f"{what}: CPU of the server", "≤ 50 ms", costs, "ms"),
        median("… first contentful paint on loopback", "≤ 300 ms", paints, "ms"),
    ]


def _cost(here: Platform, tab: Tab) -> float:
    """Return the milliseconds of CPU the server needs for one page."""
    pids = [here.pid("serve") or 0]
    before = cpu_seconds(pids)
    asked = f"""(async () => {{
      for (let n = 0; n < {EACH}; n++) {{
        const page = await fetch("/", {{cache: "no-store"}});
        if (!page.ok || !(await page.text()).includes('id="apps"')) return "no page";
      }}
    }})()"""
    assert tab.read(asked) is None
    return (cpu_seconds(pids) - before) / EACH * 1000
