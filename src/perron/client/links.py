"""Which folder was deployed as which app; kept outside the folder, out of git."""

import json
import os
from pathlib import Path

from . import contexts


def links() -> dict[str, dict[str, str]]:
    """Return the apps of the remembered folders, for each platform's URL."""
    try:
        found = json.loads(_path().read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def link(url: str, folder: Path, app: str) -> None:
    """Remember that a folder was deployed as an app of the platform at ``url``."""
    known = links()
    if known.get(url, {}).get(str(folder.resolve())) != app:
        known.setdefault(url, {})[str(folder.resolve())] = app
        _write(known)


def forget(url: str) -> None:
    """Remember nothing of the platform at ``url``, which is no more."""
    known = links()
    if known.pop(url, None) is None:
        return
    if known:
        _write(known)
    else:
        _path().unlink(missing_ok=True)


def _write(known: dict[str, dict[str, str]]) -> None:
    contexts.write_private(_path(), json.dumps(known, indent=2) + "\n")


def _path() -> Path:
    return contexts.folder(os.environ) / "links.json"
