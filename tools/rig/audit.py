"""Looks for what is doubled, orphaned or half-deleted on a platform."""

import json
import os
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .moments import rows
from .platform import Platform, _parent, wait_until

WISHED = (
    "SELECT s.environment, s.process, s.count FROM scale s "
    "WHERE s.environment IN (SELECT environment FROM edition) AND s.count > 0 "
    "AND s.environment NOT IN (SELECT environment FROM standing WHERE stopped)"
)


def settle(here: Platform, within: float = 40) -> None:
    """Wait until nothing is under way and nothing is amiss; say what is when it takes too long."""
    seen: list[str] = []

    def is_well() -> bool:
        seen[:] = faults(here)
        return not seen

    try:
        wait_until(is_well, within)
    except AssertionError:
        raise AssertionError("; ".join(seen) + "\n" + here.tail()) from None


def faults(here: Platform) -> list[str]:
    """Return what is not as it was wished for, in words; nothing when all is well."""
    return [*_work(here), *_instances(here), *_processes(here), *_files(here), *_edge(here)]


def _work(here: Platform) -> Iterator[str]:
    unfinished = "SELECT id, work, state FROM operation WHERE state IN ('waiting', 'running')"
    for id, work, state in rows(here, "perron", unfinished):
        yield f"{work} {id} is {state}"
    jobs = "SELECT name, state FROM job WHERE state IN ('waiting', 'running')"
    for name, state in rows(here, "node", jobs):
        yield f"job {name} is {state}"
    numbers = Counter(rows(here, "perron", "SELECT environment, number FROM release"))
    yield from (f"release {number} is there twice" for (_, number), n in numbers.items() if n > 1)
    live = Counter(rows(here, "perron", "SELECT environment FROM release WHERE state = 'live'"))
    yield from (f"{environment} has {n} live releases" for (environment,), n in live.items()
                if n > 1)  # fmt: skip


def _instances(here: Platform) -> Iterator[str]:
    wished = {(place, process): count for place, process, count in rows(here, "perron", WISHED)}
    kept = rows(here, "node", "SELECT id, environment, process, state FROM instance")
    there = Counter((place, process) for _, place, process, _ in kept)
    for key in wished.keys() | there.keys():
        if wished.get(key, 0) != there.get(key, 0):
            yield f"{key[1]} of {key[0]}: {wished.get(key, 0)} wished, {there.get(key, 0)} there"
    yield from (f"{id} is {state}" for id, *_, state in kept if state != "healthy")
    folders = {each.name for each in (here.home / "node/instances").glob("*")}
    yield from (f"folder of {id} without it" for id in folders - {id for id, *_ in kept})


def _processes(here: Platform) -> Iterator[str]:
    """Every process of a tenant must descend from an instance that is known."""
    slot = json.loads((here.home / "settings.json").read_text())["slot"]
    uids = range(100_000 + 6_000 * slot, 106_000 + 6_000 * slot)
    pids = [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]
    up = {pid: _parent(pid) for pid in pids}
    known = roots(here)
    for pid in pids:
        if _uid(pid) in uids and not _is_under(pid, known, up) and _is_of(here, pid):
            yield f"process {pid} ({_command(pid)}) belongs to nothing"
    yield from (f"{name} is not running" for name in ("serve", "agent") if not here.pid(name))


def _is_of(here: Platform, pid: int) -> bool:
    """Does the process see folders of this home? Another platform's may have the same uid."""
    try:
        return str(here.home) in Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return False


def _is_under(pid: int, roots: set[int], up: dict[int, int | None]) -> bool:
    above: int | None = pid
    while above and above not in roots:
        above = up.get(above)
    return bool(above)


def roots(here: Platform) -> set[int]:
    """Return the first process of each instance's newest sandbox."""
    found = set()
    for status in (here.home / "node/instances").glob("*/status"):
        for line in status.read_text(errors="replace").splitlines():
            found.add(json.loads(line).get("child-pid"))
    return found - {None}


def _files(here: Platform) -> Iterator[str]:
    """Nothing half-made is left: uploads, work places of jobs, builds nobody knows."""
    for folder in ("sources", "node", "node/builds", "node/layers", "edge", "keys", "run"):
        for each in (here.home / folder).glob(".*"):
            yield f"{each.relative_to(here.home)} is left over"
    yield from (f"job folder {each.name} is left" for each in (here.home / "node/jobs").glob("*"))
    known = {name for (name,) in rows(here, "perron", "SELECT identity FROM build")}
    for each in (here.home / "node/builds").glob("*"):
        if each.name not in known:
            yield f"build {each.name[:12]} belongs to nothing"


def _edge(here: Platform) -> Iterator[str]:
    """Visitors are led to exactly the web instances there are."""
    ids = {id for (id,) in rows(here, "node", "SELECT id FROM instance WHERE process = 'web'")}
    led = {name.rpartition(":")[2]: status for name, status in servers(here)}
    yield from (f"the edge leads to {name}, which is gone" for name in led.keys() - ids)
    yield from (f"the edge does not know {name}" for name in ids - led.keys())
    yield from (f"{name} is {status} at the edge" for name, status in led.items()
                if not status.startswith("UP"))  # fmt: skip


def servers(here: Platform) -> list[tuple[str, str]]:
    """Return each server the edge has, with its status."""
    head, *lines = ask_edge(here, "show stat -1 4 -1").lstrip("# \n").splitlines() or [""]
    at = {name: number for number, name in enumerate(head.split(","))}
    found = (line.split(",") for line in lines if line)
    return [(each[at["svname"]], each[at["status"]]) for each in found if ":" in each[at["svname"]]]


def ask_edge(here: Platform, command: str) -> str:
    """Return what HAProxy answers on its admin socket; nothing when it does not."""
    try:
        with socket.socket(socket.AF_UNIX) as to:
            to.settimeout(5)
            to.connect(str(here.home / "run/edge.sock"))
            to.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: to.recv(65536), b"")).decode(errors="replace")
    except OSError:
        return ""


def _command(pid: int) -> str:
    try:
        said = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/cgroup").read_bytes()
        return said.replace(b"\0", b" ").decode(errors="replace")[:300]
    except OSError:
        return "gone"


def _uid(pid: int) -> int | None:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None
