"""Whether the state was written by another code, which this one has to take over from.

Known in a moment, without a database library: every ``perron up`` asks.
"""

import json
from typing import Any

from perron import agent
from perron.kit import steps, written
from perron.kit.problems import Problem
from perron.kit.settings import Home
from perron.kit.written import Code

from . import copies, migrations, processes

UNDER_WAY = "upgrade.json"
# Which databases there are, and whether a pragma says their version.
STATES = {"perron.db": False, "node.db": False, "node/logs.db": True}


def newest() -> dict[str, str]:
    """Return the versions of the databases that this code writes."""
    return {"perron.db": steps.known(migrations.FOLDER)[-1], "node.db": agent.newest_state()}


def code_before(home: Home) -> Code | None:
    """Return the code that this one has to take over from; None when there is nothing to do."""
    if not home.database.exists():
        return None
    if taking := under_way(home):
        return written.read(taking["from"])
    here = written.this(newest())
    known = written.last(home)
    found = known or _running(home)
    behind = any(present(home, name) not in (None, state) for name, state in newest().items())
    if found is None:
        return Code(written.UNKNOWN, states=states(home)) if behind else None
    return found if behind or not found.is_same(here) else None


def under_way(home: Home) -> dict[str, Any] | None:
    """Return what an upgrade that is not over has noted."""
    try:
        told: dict[str, Any] = json.loads((home.path / UNDER_WAY).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as why:
        raise Problem(f"{home.path / UNDER_WAY} cannot be read: {why}.") from why
    return told


def present(home: Home, name: str) -> str | None:
    """Return the version of one of the home's databases."""
    return copies.version_of(home.path / name)


def states(home: Home) -> dict[str, str]:
    """Return the version of every database there is."""
    found = {name: copies.version_of(home.path / name, pragma=STATES[name]) for name in STATES}
    return {name: state for name, state in found.items() if state is not None}


def _running(home: Home) -> Code | None:
    """Return the code that runs, where it left no word of itself."""
    pids = (processes.pid_of(home, name) for name in processes.NAMES)
    return next((code for pid in pids if pid and (code := written.running(pid))), None)
