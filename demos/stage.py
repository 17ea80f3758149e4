"""What every demo needs: a platform, a way to say what is shown, and an end to what fails."""

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.rig.platform import Platform, platform, wait_until  # noqa: E402

IS_SHORT = os.environ.get("DEMO") == "short"
_began = time.monotonic()


def show(text: str) -> None:
    """Say what is shown, with the time since the beginning."""
    print(f"{time.monotonic() - _began:6.1f} s  {text}", flush=True)


def must(holds: object, what: str) -> None:
    """Say what holds; end the demo when it does not."""
    show(f"{'holds' if holds else 'FAILS'}  {what}")
    if not holds:
        sys.exit(1)


def times(long: int, short: int) -> int:
    """How often to do something, in full or in brief."""
    return short if IS_SHORT else long


__all__ = ["IS_SHORT", "ROOT", "Platform", "must", "platform", "show", "times", "wait_until"]
