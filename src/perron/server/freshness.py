"""How old the newest backup of a home is, as the names of files and folders tell."""

from datetime import UTC, datetime
from pathlib import Path

from perron.kit.settings import Home

STAMP = "%Y%m%dT%H%M%S.%fZ"


def newest_at(home: Home) -> datetime | None:
    """Return when the newest backup in the home was made; None when there is none."""
    names = [*home.backups.glob("whole-*"), *home.backups.glob("perron-*.db")]
    return max((made for each in names if (made := _made_at(each))), default=None)


def _made_at(place: Path) -> datetime | None:
    stamp = place.name.partition("-")[2].removesuffix(".db")
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
