"""The keys of a platform in one file, apart from the data they open, and whether they fit."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from perron.kit import files
from perron.kit.problems import Conflict
from perron.kit.settings import Home

FORMAT = 1
BESIDE = ("cli.json", "settings.json")  # the administrator's token; addresses with credentials


class KeysRefused(Conflict):
    """Keys are missing, or are not those of the backup; nothing was changed."""


@dataclass(frozen=True)
class Keys:
    """Files that hold secrets, by their place in the home."""

    files: Mapping[str, bytes]

    @property
    def prints(self) -> dict[str, str]:
        """Return what tells keys apart and says nothing about them."""
        return {
            name: sha256(b"perron key" + content).hexdigest()
            for name, content in self.files.items()
            if name.startswith("keys/")
        }

    def check(self, prints: Mapping[str, str], source: str) -> None:
        """Raise KeysRefused unless these are the keys that were there when a backup was made."""
        missing = sorted(name for name in prints if name not in self.files)
        other = sorted(name for name in prints if self.prints.get(name, "") != prints[name])
        if missing or other:
            what = f"{missing[0]} is not among them" if missing else f"{other[0]} is another"
            raise KeysRefused(
                f"The keys in {source} are not those of this backup: {what}. Nothing was changed. "
                "Give the file that was written with it: perron platform restore FOLDER --keys FILE"
            )

    def write(self, place: Path) -> None:
        """Keep them in one file that only we may read."""
        told = {name: base64.b64encode(content).decode() for name, content in self.files.items()}
        files.write_whole(place, json.dumps({"format": FORMAT, "files": told}, indent=1) + "\n")

    def put(self, home: Home, *, besides: tuple[str, ...] = ()) -> None:
        """Put them in their places in a home."""
        for name, content in self.files.items():
            if name not in besides:
                files.private_folder((home.path / name).parent)
                files.write_whole(home.path / name, content)


def of(home: Home) -> Keys:
    """Return the keys of a home."""
    inside = [path for path in sorted(home.keys.rglob("*")) if path.is_file()]
    beside = [home.path / name for name in BESIDE if (home.path / name).exists()]
    return Keys({str(path.relative_to(home.path)): path.read_bytes() for path in inside + beside})


def read(place: Path) -> Keys:
    """Return the keys in a file, or raise KeysRefused."""
    try:
        told = json.loads(place.read_text())["files"]
        found = {str(name): base64.b64decode(content) for name, content in told.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as why:
        raise KeysRefused(
            f"{place} is no file of keys ({type(why).__name__}). Nothing was changed. "
            "perron platform backup --keys FILE writes one."
        ) from why
    if strange := [name for name in found if not _is_a_place(name)]:
        raise KeysRefused(f"{place} names a place that holds no keys: {strange[0]!r}.")
    return Keys(found)


def _is_a_place(name: str) -> bool:
    return name in BESIDE or (name.startswith("keys/") and ".." not in Path(name).parts)
