"""Language runtimes of this machine, each known by having been run."""

import os
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from glob import escape, glob
from pathlib import Path
from threading import Lock
from typing import Literal

from perron.contract.node import Interpreter
from perron.kit.settings import Settings

OLDEST_PYTHON = (3, 8)
TIMEOUT = 20.0
AGAIN = 60.0  # seconds until what did not answer in time is asked again
_PYTHON = re.compile(r"python3(\.\d+)?")
_ASK_PYTHON = (
    "import os, sys, venv, ssl; print('%d.%d.%d' % sys.version_info[:3]);"
    "print(os.path.realpath(getattr(sys, '_base_executable', sys.executable)))"
)
_ASK_NODE = "console.log(process.versions.node); console.log(process.execPath)"


@dataclass(frozen=True)
class Candidate:
    """A program that may be an interpreter, and who put it there."""

    language: Literal["python", "node"]
    path: Path
    source: str


_tried: dict[tuple[Candidate, float], Interpreter | None] = {}
_silent: dict[tuple[Candidate, float], float] = {}  # until when we do not ask: unknown, not absent
_one_at_a_time = Lock()  # whoever asks meanwhile waits for the answer, and runs nothing twice


def interpreters(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> list[Interpreter]:
    """Return every runtime found, the newest first; each program is run once and remembered.

    What did not answer, because the machine is busy or it hangs, is asked again after a while.
    """
    candidates = _unique([*_pythons(settings, environment), *_nodes(environment)])
    with _one_at_a_time, ThreadPoolExecutor(4) as pool:
        found = [each for each in pool.map(_tried_once, candidates) if each]
    unique = {each.path: each for each in reversed(found)}
    return sorted(unique.values(), key=lambda each: (each.language, _key(each)), reverse=True)


def _pythons(settings: Settings, environment: Mapping[str, str]) -> Iterator[Candidate]:
    for text in re.split(r"[:,\s]+", settings.pythons):
        if text:
            given = Path(text).expanduser()
            at = given / "bin" / "python3" if os.path.isdir(given) else given
            yield Candidate("python", at, "PERRON_PYTHONS")
    for folder in _path(environment):
        for each in _within(folder, "python3*"):
            if _PYTHON.fullmatch(each.name) and "shims" not in folder.parts:
                yield Candidate("python", each, "PATH")
    home = Path(environment.get("HOME", "/nonexistent"))
    data = Path(environment.get("XDG_DATA_HOME", home / ".local/share"))
    kept = Path(environment.get("UV_PYTHON_INSTALL_DIR", data / "uv/python"))
    for each in _within(kept, "cpython-*/bin/python3"):
        yield Candidate("python", each, "uv")
    pyenv = Path(environment.get("PYENV_ROOT", home / ".pyenv"))
    for each in _within(pyenv, "versions/3.*/bin/python3"):
        yield Candidate("python", each, "pyenv")


def _nodes(environment: Mapping[str, str]) -> Iterator[Candidate]:
    for folder in _path(environment):
        yield Candidate("node", folder / "node", "PATH")
    home = Path(environment.get("HOME", "/nonexistent"))
    nvm = Path(environment.get("NVM_DIR", home / ".nvm"))
    for each in _within(nvm, "versions/node/*/bin/node"):
        yield Candidate("node", each, "nvm")


def _unique(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Leave out what is there under a second name, as /bin and /usr/bin often are one folder."""
    seen: dict[tuple[str, str], Candidate] = {}
    for each in candidates:
        seen.setdefault((os.path.realpath(each.path.parent), each.path.name), each)
    return list(seen.values())


def _path(environment: Mapping[str, str]) -> list[Path]:
    """Return the folders of the PATH; a virtual environment's programs are not the machine's."""
    folders = [Path(each) for each in environment.get("PATH", "").split(":") if each]
    system = [Path("/usr/local/bin"), Path("/usr/bin")]
    unique = dict.fromkeys([*folders, *system])
    return [each for each in unique if not os.path.exists(each.parent / "pyvenv.cfg")]


def _within(folder: Path, pattern: str) -> list[Path]:
    """Return what is there by name; nothing where we may not look."""
    return [Path(each) for each in sorted(glob(f"{escape(str(folder))}/{pattern}"))]


def _tried_once(candidate: Candidate) -> Interpreter | None:
    try:
        changed = candidate.path.stat().st_mtime
    except OSError:
        return None
    key = (candidate, changed)
    if key not in _tried and time.monotonic() >= _silent.get(key, 0.0):
        try:
            _tried[key] = _try(candidate)
        except subprocess.TimeoutExpired:
            _silent[key] = time.monotonic() + AGAIN
    return _tried.get(key)


def _try(candidate: Candidate) -> Interpreter | None:
    ask = ["-I", "-c", _ASK_PYTHON] if candidate.language == "python" else ["-e", _ASK_NODE]
    try:
        done = subprocess.run(  # noqa: S603 - found by us, run to see what it is
            [candidate.path, *ask],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
        )
    except OSError:
        return None
    lines = done.stdout.split("\n")
    if done.returncode or len(lines) < 2:
        return None
    found = Interpreter(
        language=candidate.language, version=lines[0], path=lines[1], source=candidate.source
    )
    if found.language == "python" and _key(found) < OLDEST_PYTHON:
        return None
    return found


def _key(found: Interpreter) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", found.version)[:3])
