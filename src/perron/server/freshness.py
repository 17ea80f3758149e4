"""How old the newest backup of a home is, and whether the last one failed."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from perron.kit import clock, files
from perron.kit.settings import Home

FAILED = "failed.json"
STAMP = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class Failure:
    """The backup that is made by the clock failed: since when, when last, and why."""

    since: str
    at: str
    why: str


def failure(home: Home) -> Failure | None:
    """Return how the last scheduled backup failed; None when it did not, or was never made."""
    try:
        told = json.loads((home.backups / FAILED).read_text())
        return Failure(str(told["since"]), str(told["at"]), str(told["why"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note_failure(home: Home, why: str) -> None:
    """Write down that a scheduled backup failed, for whoever looks."""
    at, before = clock.now().isoformat(), failure(home)
    told = Failure(before.since if before else at, at, why)
    files.write_whole(files.private_folder(home.backups) / FAILED, json.dumps(asdict(told)))


def note_success(home: Home) -> None:
    """Write down that backups are made again."""
    (home.backups / FAILED).unlink(missing_ok=True)


def newest_at(home: Home) -> datetime | None:
    """Return when the newest backup in the home was made; None when there is none."""
    names = [*home.backups.glob("whole-*"), *home.backups.glob("perron-*.db")]
    return max((made for each in names if (made := made_at(each))), default=None)


def made_at(place: Path) -> datetime | None:
    """Return when a backup was made, as its name says; None where the name says nothing."""
    stamp = place.name.rpartition("-")[2].removesuffix(".db")
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
