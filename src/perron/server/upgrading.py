"""``perron up`` with other code than what wrote the state: copy, migrate, restart, or go back.

What is under way stands in ``upgrade.json``: killed anywhere, ``perron up`` goes on from there.
Apps and edge serve all along; the agent of the new code hands the edge its new rules.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from perron import agent
from perron.kit import clock, files, lock, written
from perron.kit.problems import Conflict
from perron.kit.settings import Home
from perron.kit.written import Code

from . import backups, copies, database, due, processes, returning, units
from .copies import Copy
from .due import STATES
from .returning import LAST
from .screen import Stopwatch, mark, say

COPIED, GOING_BACK = "copied", "going back"
RESERVE = 64 << 20


class UpgradeRefused(Conflict):
    """This code cannot take the platform over; nothing was changed."""


def upgrade(home: Home, before: Code, watch: Stopwatch, start: Callable[[], int]) -> int:
    """Take over from ``before``: all of it, or back to where it was; return the exit status."""
    _check(home, before)
    held = _take_turn(home)
    try:
        under_way = due.under_way(home)
        if under_way and under_way["phase"] == GOING_BACK:
            say("The last upgrade was going back when it was interrupted; it goes on.")
            return _go_back(home, copies.read(Path(under_way["copy"])), before)
        copy = copies.read(Path(under_way["copy"])) if under_way else _begin(home, before, watch)
        return _go_on(home, before, copy, watch, start)
    finally:
        held.release()


def _begin(home: Home, before: Code, watch: Stopwatch) -> Copy:
    """Stop what runs and copy the state as it then is."""
    here = written.this()
    say(f"Upgrade: {before} → {here}.")
    say("The state is copied and migrated, then server and agent start anew; apps go on serving.")
    processes.wish_down(home, down=True)
    processes.stop_all(home)
    watch.step("ok", "stopped", "server and agent; edge and apps serve visitors")
    try:
        copy = _copied(home, before)
    except BaseException:
        processes.wish_down(home, down=False)
        _start_again(home, before)
        raise
    _note(home, COPIED, before, copy)
    watch.step("ok", "copied", str(copy.folder))
    return copy


def _go_on(home: Home, before: Code, copy: Copy, watch: Stopwatch, start: Callable[[], int]) -> int:
    """Migrate and start; whatever goes wrong leads back to the copy."""
    processes.wish_down(home, down=True)
    processes.stop_all(home)
    try:
        database.prepare(home).dispose()
        agent.migrate(home)
        watch.step("ok", "state", _steps(copy))
        processes.wish_down(home, down=False)
        code = start()
    except Exception as why:
        logging.getLogger(__name__).debug("The upgrade failed.", exc_info=True)
        say(f"{mark('failed')} The upgrade failed: {why}")
        code = 1
    if code:
        return _go_back(home, copy, before)
    files.write_whole(home.path / LAST, json.dumps({"copy": str(copy.folder)}) + "\n")
    (home.path / due.UNDER_WAY).unlink(missing_ok=True)
    say(f"Upgraded from {before.version}. Back to it, with the state of then:")
    say("       perron platform rollback")
    return 0


def _go_back(home: Home, copy: Copy, before: Code) -> int:
    _note(home, GOING_BACK, before, copy)
    say(f"Going back to {before} and to the state in {copy.folder}.")
    returning.put_back(home, copy)
    (home.path / due.UNDER_WAY).unlink(missing_ok=True)
    returning.start(home, before)
    return 1


def _start_again(home: Home, before: Code) -> None:
    """Bring back what was stopped, for nothing was changed."""
    say(f"{mark('failed')} Nothing was changed; {before} goes on.")
    returning.start(home, before)


def _copied(home: Home, before: Code) -> Copy:
    """Copy every database, and how the platform is set up."""
    present = [name for name in STATES if (home.path / name).exists()]
    needed = sum((home.path / name).stat().st_size for name in present)
    folder = files.private_folder(home.backups)
    files.check_room(folder, needed, reserve=RESERVE)
    at = clock.now().strftime("%Y%m%dT%H%M%S.%fZ")
    facts: dict[str, Any] = {"kind": "upgrade", "version": before.version, "code": asdict(before)}
    with copies.making(folder / f"before-upgrade-{at}", **facts, states=due.states(home)) as copy:
        for name in present:
            copy.add_database(name, home.path / name)
        copy.add_file("settings.json", home.settings)
    return copy


def _check(home: Home, before: Code) -> None:
    """Refuse before anything is touched: newer or damaged state, units that lead elsewhere."""
    for name, newest_ in due.newest().items():
        present = due.present(home, name)
        if present and present > newest_:
            raise UpgradeRefused(
                f"{home.path / name} has version {present!r}, which Perron "
                f"{written.this().version} does not know: {before} wrote it. Use that one"
                f"{_how(before)}, or go back to the state of then: perron platform rollback"
            )
    if fault := backups.fault_of(home.database):
        raise UpgradeRefused(
            f"{home.database} is damaged ({fault}), so it is not upgraded. Restore a backup "
            f"first: perron platform restore {backups.newest_good(home) or 'FILE'}"
        )
    if units.are_installed(home) and not units.lead_here(home):
        raise UpgradeRefused(
            "systemd starts another Perron for this platform. Have it start this one, then "
            "upgrade: perron up --print-systemd | sh; perron up"
        )


def _how(code: Code) -> str:
    return f" ({Path(code.command[0]).with_name('perron')})" if code.command else ""


def _take_turn(home: Home) -> lock.Lock:
    try:
        return lock.hold(home.run / "upgrade.lock")
    except lock.LockHeld as held:
        raise UpgradeRefused(
            f"Process {held.pid} upgrades this platform just now. Wait until it is done."
        ) from None


def _note(home: Home, phase: str, before: Code, copy: Copy) -> None:
    told = {"phase": phase, "copy": str(copy.folder), "from": asdict(before)}
    files.write_whole(home.path / due.UNDER_WAY, json.dumps(told, indent=2) + "\n")


def _steps(copy: Copy) -> str:
    told: Mapping[str, str] = copy.facts["states"]
    steps = [f"{name} {told.get(name, 'none')} → {state}" for name, state in due.newest().items()]
    return ", ".join(steps)
