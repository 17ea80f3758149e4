"""Which Perron wrote the state of a home, and how that code is started again."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import perron

from .files import write_whole
from .settings import Home

NAME = "version.json"
UNKNOWN = "an earlier version"
MAIN = ("-m", "perron.server.main")
_ASK = "import perron; print(perron.__file__); print(perron.__version__)"


@dataclass(frozen=True)
class Code:
    """One installed Perron: its version, its folder, and the words that start its processes.

    ``states`` are the versions of the databases it wrote, by file name; ``path`` its PYTHONPATH.
    """

    version: str
    folder: str = ""
    command: tuple[str, ...] = ()
    path: str = ""
    states: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        """Say whether this very code can still be started."""
        found = asked(self.command, self.path)
        return found is not None and (found.version, found.folder) == (self.version, self.folder)

    def is_same(self, other: "Code") -> bool:
        """Say whether two are the same code in the same place."""
        return (self.version, self.folder) == (other.version, other.folder)

    def __str__(self) -> str:
        return f"Perron {self.version}" + (f" ({self.folder})" if self.folder else "")


def this(states: Mapping[str, str] | None = None) -> Code:
    """Return the code that runs here."""
    folder = str(Path(perron.__file__).resolve().parent)
    path = os.environ.get("PYTHONPATH", "")
    return Code(perron.__version__, folder, (sys.executable, *MAIN), path, dict(states or {}))


def note(home: Home, states: Mapping[str, str]) -> None:
    """Write down that this code writes the state from now on."""
    keep(home, this(states))


def keep(home: Home, code: Code) -> None:
    """Write down which code wrote the state."""
    if last(home) != code:
        write_whole(home.path / NAME, json.dumps(asdict(code), indent=2) + "\n")


def last(home: Home) -> Code | None:
    """Return the code that wrote the state last; None where nobody wrote that down."""
    try:
        return read(json.loads((home.path / NAME).read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def author(home: Home) -> str:
    """Name who wrote the state last, for somebody who cannot read it."""
    code = last(home)
    newer = code is not None and code.version != perron.__version__
    return str(code) if newer else "a newer one"


def read(told: Mapping[str, object]) -> Code:
    """Return the code of which a file tells."""
    known = {name: told[name] for name in Code.__dataclass_fields__ if name in told}
    code = Code(**known)  # type: ignore[arg-type]
    return Code(code.version, code.folder, tuple(code.command), code.path, dict(code.states))


def running(pid: int) -> Code | None:
    """Return the code of a process of the platform, as the kernel knows how it was started."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
        told = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except (OSError, UnicodeDecodeError):
        return None
    variables = dict(each.partition("=")[::2] for each in told)
    return asked(tuple(words[:-1]), variables.get("PYTHONPATH", ""))


def asked(command: tuple[str, ...], path: str) -> Code | None:
    """Return which Perron such a command would start today; None when it would start none."""
    if not command or not Path(command[0]).exists():
        return None
    environment = {**_without_path(), **({"PYTHONPATH": path} if path else {})}
    python = command[0] if Path(command[0]).name.startswith("python") else _python_of(command[0])
    try:
        said = subprocess.run(  # noqa: S603 - the interpreter the platform was started with
            [python, "-c", _ASK], env=environment, cwd="/", capture_output=True, text=True,
            timeout=20, check=True,
        ).stdout.splitlines()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    if len(said) != 2:
        return None
    return Code(said[1], str(Path(said[0]).resolve().parent), command, path)


def _without_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _python_of(program: str) -> str:
    """Return the interpreter beside a program that an installation made."""
    return str(Path(program).with_name("python"))
