"""Perron's own disk: installed as it is now, with its tests, examples and demos."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from .kept import CACHE, ROOT, NotAssessed, alone, key, run

SIZE = "700M"


def payload() -> Path:
    """Return a disk with Perron installed as it is now, and its tests, examples and demos."""
    with alone(), tempfile.TemporaryDirectory(dir=CACHE) as work:
        folder = Path(work) / "perron"
        shutil.copytree(_environment(), folder, symlinks=True)
        _install(folder)
        for name in ("tests", "tools", "examples", "demos", "pyproject.toml"):
            _copy(ROOT / name, folder / name)
        run("chmod", "-R", "a+rX", str(folder))
        disk = CACHE / "payload"
        run("mke2fs", "-qF", "-t", "ext4", "-E", "root_owner=0:0", "-d", str(folder),
             f"{disk}.part", SIZE)  # fmt: skip
        os.replace(f"{disk}.part", disk)
    return disk


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _environment() -> Path:
    """Return what Perron and its tests need, for the Python of Debian 12; kept."""
    if sys.version_info[:2] != (3, 11):
        raise NotAssessed("Perron is installed there for Python 3.11, and this is another.")
    kept = CACHE / f"environment-{key('payload.py', '../../requirements.lock')}"
    if kept.exists():
        return kept
    for each in CACHE.glob("environment-*"):
        shutil.rmtree(each)  # of another version
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        folder = Path(work) / "perron"
        run(_uv(), "venv", "-q", "--relocatable", "--python", sys.executable, str(folder))
        run(*_pip(folder), "--require-hashes", "-r", str(ROOT / "requirements.lock"))
        os.replace(folder, kept)
    return kept


def _install(folder: Path) -> None:
    """Add Perron as it is now, and lead the environment to Debian's own interpreter."""
    with tempfile.TemporaryDirectory() as fresh:  # what is left of an older build stays out
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, fresh)
        shutil.copytree(ROOT / "src", Path(fresh) / "src")
        run(*_pip(folder), "--no-deps", "--no-build-isolation", fresh)
    for name in ("python", "python3", "python3.11"):
        (folder / "bin" / name).unlink(missing_ok=True)
        (folder / "bin" / name).symlink_to("/usr/bin/python3.11")
    lines = (folder / "pyvenv.cfg").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("home", "version"))]
    (folder / "pyvenv.cfg").write_text("\n".join(["home = /usr/bin", *kept]) + "\n")


def _pip(folder: Path) -> tuple[str, ...]:
    python = str(folder / "bin/python")
    return (_uv(), "pip", "install", "-q", "--python", python, "--compile-bytecode")


def _uv() -> str:
    return str(Path(sys.executable).with_name("uv"))
