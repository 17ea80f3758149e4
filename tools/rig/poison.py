"""An app that, while it is built, writes into every file of the Flask it was given."""

import shutil
from pathlib import Path

from .platform import ROOT

MARK = "# written by another app"

_SETUP = """
import setuptools, sys
here = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
setuptools.setup(name="poison", version="1", py_modules=["poison"],
                 data_files=[(here, ["poison.pth"])])
"""
# A .pth is run whenever the new environment's Python starts, which the build itself does.
_POISON = f'''
import glob
for path in glob.glob("/app/.venv/lib/*/site-packages/flask/*.py"):
    try:
        with open(path, "r+") as file:
            if "{MARK}" not in file.read():
                file.write("\\n{MARK}\\n")
    except OSError:
        pass
'''


def poisoner(folder: Path) -> Path:
    """The Flask example with a dependency that spoils what was installed beside it."""
    shutil.copytree(ROOT / "examples" / "flask", folder)
    (folder / "requirements.txt").write_text("flask==3.1.3\n./poison\n")
    package = folder / "poison"
    package.mkdir()
    (package / "setup.py").write_text(_SETUP)
    (package / "poison.py").write_text(_POISON)
    (package / "poison.pth").write_text("import poison\n")
    return folder


def spoiled(layers: Path) -> set[str]:
    """The layers in which a file was spoiled."""
    marked = (path for path in layers.rglob("flask/*.py") if MARK in path.read_text())
    return {path.relative_to(layers).parts[0] for path in marked}
