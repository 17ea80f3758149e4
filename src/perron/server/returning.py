"""The way back: a state put in place of another, and the code that wrote it started again."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from perron import audit
from perron.kit import clock, files, settings, written
from perron.kit.problems import Conflict
from perron.kit.settings import Home
from perron.kit.written import Code

from . import copies, health, processes, units
from .copies import Copy
from .due import STATES
from .screen import mark, say

LAST = "last-upgrade.json"
PATIENCE = 120.0
_AFTER = "SELECT * FROM event WHERE position > ? ORDER BY position"


class RollbackRefused(Conflict):
    """There is nothing to go back to, or it is not whole."""


def roll_back(home: Home) -> int:
    """Return to the state and the code from before the last upgrade."""
    copy = _last(home)
    copy.check()
    before = written.read(copy.facts["code"])
    say(f"Back to {before} and its state of {copy.facts['made'][:19]}Z; apps go on serving.")
    processes.wish_down(home, down=True)
    processes.stop_all(home)
    put_back(home, copy)
    (home.path / LAST).unlink(missing_ok=True)
    return start(home, before)


def put_back(home: Home, copy: Copy) -> None:
    """Put the copy in place; the present state is kept aside, what happened since in a file.

    The agent's own databases stay as they are, unless they have another shape now: what runs on
    this machine they know better than a copy of before.
    """
    processes.wish_down(home, down=True)
    processes.stop_all(home)
    copy.check(*(name for name in STATES if name in copy.parts))
    at = clock.now().strftime("%Y%m%dT%H%M%S.%fZ")
    aside = files.private_folder(home.backups / f"replaced-{at}")
    _keep_events(home, copy, aside)
    audit.note_restored(home, copy.place("perron.db"))
    for name, pragma in STATES.items():
        told = copy.facts["states"].get(name)
        is_kept = name != "perron.db" and copies.version_of(home.path / name, pragma=pragma) == told
        if name in copy.parts and not is_kept:
            swap(copy.place(name), home.path / name, aside)
    files.write_whole(home.settings, copy.place("settings.json").read_bytes())
    _spare_reload(home, written.read(copy.facts["code"]))
    written.keep(home, written.read(copy.facts["code"]))
    say(f"What was there is kept in {aside}.")


def start(home: Home, code: Code) -> int:
    """Start the code that was there before; say what to do where it is not there any more."""
    if units.are_installed(home):
        say("systemd would start the newer Perron. Have it start the older one again:")
        say(f"Next   {_command(code)} up --print-systemd | sh; {_command(code)} up")
        return 1
    if not code.is_there:
        say(f"{mark('failed')} {code} is not installed any more, so server and agent are stopped.")
        say("Apps and edge go on serving. Install that version again, then start it:")
        say(f"Next   pip install perron=={code.version}; perron up")
        return 1
    processes.wish_down(home, down=False)
    for name in processes.NAMES:
        processes.start(home, name, code)
    if not processes.wait_for(lambda: health.is_healthy(home), PATIENCE, every=0.1):
        say(f"{mark('failed')} {code} did not become healthy; its logs are in {home.logs}.")
        say("Next   perron doctor")
        return 1
    say(f"{mark('ok')} {code} is up again. Use its command: {_command(code)}")
    return 0


def swap(source: Path, target: Path, aside: Path) -> None:
    """Put a copy of a database in place; the present one moves aside with its log."""
    incoming = target.with_name(f".{target.name}.incoming")
    files.private_folder((aside / target.name).parent)
    try:
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as present:
            incoming.unlink(missing_ok=True)
            with closing(sqlite3.connect(incoming)) as fresh:
                present.backup(fresh, pages=-1)
        incoming.chmod(0o600)
        _sync(incoming)
    except (OSError, sqlite3.Error):
        incoming.unlink(missing_ok=True)
        raise
    for end in ("-wal", "-shm", ""):  # the log first: it may never meet another database
        present_file = target.with_name(target.name + end)
        if present_file.exists():
            os.replace(present_file, aside / present_file.name)
    os.replace(incoming, target)
    files.sync_folder(target.parent)


def _spare_reload(home: Home, before: Code) -> None:
    """Have 0.1.0 listen on IPv4 alone: with IPv6 its edge goes deaf when it reads its rules."""
    kept = settings.load(home, {})
    plain = ",".join(each for each in kept.addresses if ":" not in each)
    if before.version == "0.1.0" and plain not in ("", kept.bind):
        told = json.loads(home.settings.read_text()) | {"bind": plain}
        files.write_whole(home.settings, json.dumps(told, indent=2) + "\n")
        say(f"Perron 0.1.0 loses visitors where it listens on IPv6; it gets {plain} alone.")


def _last(home: Home) -> Copy:
    try:
        folder = Path(json.loads((home.path / LAST).read_text())["copy"])
    except FileNotFoundError:
        raise RollbackRefused(
            "There was no upgrade to go back from. For an older state of this version: "
            "perron platform restore FILE"
        ) from None
    return copies.read(folder)


def _keep_events(home: Home, copy: Copy, aside: Path) -> None:
    """Write down what happened after the copy was made, which the copy knows nothing of."""
    try:
        with closing(_opened(copy.place("perron.db"))) as older:
            top = older.execute("SELECT coalesce(max(position), 0) FROM event").fetchone()[0]
        with closing(_opened(home.database)) as present:
            rows = [dict(row) for row in present.execute(_AFTER, (top,))]
    except sqlite3.DatabaseError as why:
        say(f"What happened since the copy could not be read: {why}.")
        return
    if rows:
        place = aside / "events.jsonl"
        text = "".join(json.dumps(row, default=_told) + "\n" for row in rows)
        files.write_whole(place, text)
        say(f"{len(rows)} events since then are kept in {place}.")


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    connection.row_factory = sqlite3.Row
    return connection


def _told(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _command(code: Code) -> str:
    return str(Path(code.command[0]).with_name("perron")) if code.command else "perron"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
