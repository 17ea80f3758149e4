"""Writes the pages of ``docs/reference`` that the code can tell: ``python -m tools.reference``."""

from collections.abc import Callable
from pathlib import Path

from . import api, commands, problems, settings

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "api.md": api.page,
    "commands.md": commands.page,
    "problems.md": problems.page,
    "settings.md": settings.page,
}


def main() -> None:
    """Write them all."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())
        print(FOLDER / name)
