"""Which files of a folder stay at home."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .exits import FAILED, Stop

ALWAYS = (".git", ".hg", ".svn", "node_modules", ".venv", "__pycache__", ".DS_Store")
SECRETS = (".env", ".env.local", ".env.*.local")
FILES = (".gitignore", ".perronignore")  # the later one has the last word


@dataclass(frozen=True)
class Rules:
    """The ignore files that count in one folder, from the top down."""

    specs: tuple[tuple[str, Any], ...] = ()
    secrets: list[str] = field(default_factory=list)

    def inside(self, folder: Path, prefix: str) -> "Rules":
        """Return the rules for a folder: those from above, and its own."""
        own = [(prefix, spec) for name in FILES if (spec := _spec(folder / name))]
        return Rules((*self.specs, *own), self.secrets)

    def ignore(self, path: str, name: str, *, is_folder: bool) -> bool:
        """Say whether a file or folder stays at home."""
        if name in ALWAYS or fnmatchcase(name, "*.py[co]"):
            return True
        said = self._said(path + "/" if is_folder else path)
        if said is None and not is_folder and any(fnmatchcase(name, each) for each in SECRETS):
            self.secrets.append(path)
            return True
        return bool(said)

    def _said(self, path: str) -> bool | None:
        """Return what the nearest ignore file says of a path; None when none does."""
        for prefix, spec in reversed(self.specs):
            if path.startswith(prefix):
                said: bool | None = spec.check_file(path[len(prefix) :]).include
                if said is not None:
                    return said
        return None


def rules_of(root: Path) -> Rules:
    """Return the rules that reach a folder from the git repository around it."""
    above: list[Path] = []
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            break
        above.append(folder.parent)
    else:
        return Rules()
    rules = Rules()
    for folder in [each for each in reversed(above) if each.is_dir()]:
        rules = Rules((*rules.specs, *_seen_from(root, folder)), rules.secrets)
    return rules


def _seen_from(root: Path, folder: Path) -> list[tuple[str, Any]]:
    """Return a higher folder's rules for paths that are told from ``root``."""
    spec = _spec(folder / ".gitignore")
    below = root.relative_to(folder).as_posix() + "/"
    return [("", _Below(below, spec))] if spec else []


@dataclass(frozen=True)
class _Below:
    """Rules of a higher folder."""

    prefix: str
    spec: Any

    def check_file(self, path: str) -> Any:
        return self.spec.check_file(self.prefix + path)


def _spec(path: Path) -> Any:
    try:
        lines = path.read_text(errors="surrogateescape").splitlines()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except PermissionError as why:
        raise Stop(f"{path} cannot be read, so nobody knows what to leave out.", FAILED) from why
    from pathspec import GitIgnoreSpec  # only a folder with ignore files waits for it

    return GitIgnoreSpec.from_lines(line for line in lines if line.strip())
