"""Pictures of every page: full and empty, light and dark, wide and on a phone.

``python -m tools.screenshots [NAME…]`` starts two platforms of its own, lives some days on one,
and writes ``build/screenshots/*.png`` and an ``index.html`` over them; with names, only those.
Each line says what the page cost; what is wrong with it follows.
"""

import sys
from collections.abc import Iterator
from html import escape

from .rig import pages, world
from .rig.browser import Browser, Page
from .rig.chromium import MISSING, found
from .rig.platform import ROOT, Platform

TO = ROOT / "build" / "screenshots"


def main(wanted: list[str]) -> int:
    if not found():
        sys.exit(MISSING)
    browser = Browser()
    try:
        faults = [fault for fault in _everything(browser, wanted)]
    finally:
        browser.close()
    _index()
    print(f"\n{len(list(TO.glob('*.png')))} pictures: {TO / 'index.html'}; {len(faults)} faults.")
    return 1 if faults else 0


def _everything(browser: Browser, wanted: list[str]) -> Iterator[str]:
    for live, addresses in ((None, pages.EMPTY), (world.some_days, pages.FULL)):
        chosen = {name: path for name, path in addresses.items() if not wanted or name in wanted}
        if not chosen and not (live and _dialogs(wanted)):
            continue
        here = Platform()
        try:
            here.up()
            if live:
                live(here)
            yield from _platform(browser, here, chosen, _dialogs(wanted) if live else {})
        finally:
            here.close()


def _platform(
    browser: Browser, here: Platform, addresses: dict[str, str], dialogs: dict[str, tuple[str, str]]
) -> Iterator[str]:
    page = browser.page()
    doors = world.doors(here) if dialogs else {}
    cli = {"cli": doors.pop("cli")} if doors else {}  # only who is signed in lets one in
    for name, path in {**pages.OPEN, **doors}.items() if dialogs else ():
        yield from _both(page, here, name, path)
    pages.sign_in(page, here)
    addresses = addresses | cli
    for name, path in addresses.items():
        yield from _both(page, here, name, path)
    for name, (path, dialog) in dialogs.items():
        yield from _both(page, here, name, path, dialog)


def _both(page: Page, here: Platform, name: str, path: str, dialog: str = "") -> Iterator[str]:
    for width in pages.WIDTHS:
        for theme in pages.THEMES:
            page.theme(theme)
            page.size(width)
            page.go(pages.address(here, path))
            if dialog:
                pages.open_dialog(page, dialog)
            page.screenshot(TO / f"{name}-{theme}-{width}.png", whole=not dialog)
            yield from _faults(page, f"{name} {theme} {width}")


def _faults(page: Page, name: str) -> Iterator[str]:
    cost = f"{page.traffic.requests} requests, {page.traffic.bytes / 1024:.0f} KB"
    print(f"{name:40} {cost}, shift {page.shift():.3f}")
    is_meant = name.startswith(
        ("not-found", "link-gone")
    )  # the browser complains of the 404 it asked for
    faults = [*(() if is_meant else page.wrong()), *page.violations()]
    faults += [f"{page.overflow()} px wider than the window"] if page.overflow() > 0 else []
    for fault in faults:
        print(f"  {fault}")
        yield f"{name}: {fault}"


def _dialogs(wanted: list[str]) -> dict[str, tuple[str, str]]:
    return {name: it for name, it in pages.DIALOGS.items() if not wanted or name in wanted}


def _index() -> None:
    """Write the page that shows all pictures beside each other."""
    names = sorted({each.stem.rsplit("-", 2)[0] for each in TO.glob("*.png")})
    rows = "".join(f"<h2>{escape(name)}</h2><div>{_row(name)}</div>" for name in names)
    (TO / "index.html").write_text(
        "<!doctype html><meta charset=utf-8><title>Pages</title><style>body{font:14px sans-serif}"
        "div{display:flex;gap:8px;align-items:start}img{border:1px solid #999;max-height:700px}"
        f"</style>{rows}"
    )


def _row(name: str) -> str:
    files = [f"{name}-{theme}-{width}.png" for width in pages.WIDTHS for theme in pages.THEMES]
    there = [each for each in files if (TO / each).exists()]
    return "".join(f'<a href="{each}"><img loading=lazy src="{each}"></a>' for each in there)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
