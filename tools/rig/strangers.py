"""Projects that others wrote: made by their own generators, from PyPI and npm, when asked for."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from uv import find_uv_bin

from perron.agent import interpreters
from perron.kit.settings import Settings

WAGTAIL = "wagtail==8.0"
GENERATOR = "express-generator@4.16.1"
VITE = "create-vite@7.1.1"
DATASETTE = "datasette==0.65.5"
PYPISERVER = "pypiserver==2.4.2"

DATA = """[volumes.data]
mount = "/data"
size = "2G"
"""
DATABASE = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "%s"}}\n'


def wagtail_untouched(folder: Path) -> Path:
    """``wagtail start``, exactly as it comes."""
    folder.mkdir(parents=True)
    python = next(
        each.path
        for each in interpreters(Settings())
        if each.language == "python" and each.version >= "3.12" and "3.1" in each.version
    )
    _uvx(WAGTAIL, "wagtail", "start", "mysite", ".", cwd=folder, python=python)
    return folder


def wagtail(folder: Path) -> Path:
    """The same with only its database and media moved to /data, and a release command."""
    wagtail_untouched(folder)
    settings = folder / "mysite" / "settings" / "base.py"
    text = settings.read_text()
    start = text.index("DATABASES = {")
    end = re.compile(r"^}\n", re.MULTILINE).search(text, start).end()
    text = text[:start] + DATABASE % "/data/db.sqlite3" + text[end:]
    settings.write_text(re.sub(r"MEDIA_ROOT = .*", 'MEDIA_ROOT = "/data/media"', text))
    (folder / "perron.toml").write_text(DATA)
    (folder / "Procfile").write_text("release: python manage.py migrate\n")
    return folder


def express(folder: Path) -> Path:
    """``npx express-generator``: a server with a start script and no lock."""
    folder.mkdir(parents=True)
    _npx(GENERATOR, "--no-view", "--force", ".", cwd=folder)
    return folder


def vite(folder: Path) -> Path:
    """``npm create vite``: a build without a start."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _npx(VITE, folder.name, "--template", "vanilla", "--no-interactive", cwd=folder.parent)
    return folder


def datasette(folder: Path) -> Path:
    """Datasette over a small database in the source: read-only, as it likes it."""
    import sqlite3

    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "birds.db") as database:
        database.execute("create table bird (name text)")
        database.execute("insert into bird values ('wren')")
    database.close()
    (folder / "requirements.txt").write_text(f"{DATASETTE}\n")
    (folder / "Procfile").write_text("web: datasette serve -i birds.db -h 127.0.0.1 -p $PORT\n")
    return folder


def pypiserver(folder: Path) -> Path:
    """pypiserver, which keeps its packages on a volume."""
    folder.mkdir(parents=True)
    (folder / "requirements.txt").write_text(f"{PYPISERVER}\n")
    (folder / "Procfile").write_text("web: pypi-server run -i 127.0.0.1 -p $PORT /data\n")
    (folder / "perron.toml").write_text(DATA)
    return folder


MAKERS: dict[str, Callable[[Path], Path]] = {
    "wagtail": wagtail,
    "express": express,
    "vite": vite,
    "datasette": datasette,
    "pypiserver": pypiserver,
}


def package(folder: Path) -> dict[str, object]:
    """What a project's package.json says."""
    return json.loads((folder / "package.json").read_text())


def _uvx(package: str, *command: str, cwd: Path, python: str) -> None:
    tool = [find_uv_bin(), "tool", "run", "--quiet", "--python", python, "--from", package]
    _run([*tool, *command], cwd=cwd)


def _npx(package: str, *words: str, cwd: Path) -> None:
    _run(["npx", "--yes", package, *words], cwd=cwd)


def _run(command: list[str], *, cwd: Path) -> None:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"CI": "1"}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}")
