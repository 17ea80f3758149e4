"""Control groups: one below the platform's for each sandbox; version 1, version 2, or none.

Version 2 wants the controllers switched on in every parent and no process in them, so an agent
that was given a group of its own first moves into a leaf of it.
"""

import contextlib
import errno
import os
import signal
from dataclasses import dataclass, field

_V1 = ("cpu", "cpuacct", "memory", "pids")
_V2 = ("cpu", "memory", "pids")
_LEAF = "/agent"
_UNIT = "PERRON_CGROUP_UNIT"  # a unit beside ours that systemd delegated to hold the apps
_PERIOD = 100_000


@dataclass(frozen=True)
class Groups:
    """Folders of one control group, by controller (version 1) or under "" (version 2)."""

    mode: str = "none"
    folders: dict[str, str] = field(default_factory=dict)

    def child(self, name: str) -> "Groups":
        """Return the group of that name below this one."""
        return Groups(self.mode, {each: f"{at}/{name}" for each, at in self.folders.items()})

    def at(self, controller: str) -> str:
        """Return the folder of a controller; an empty name when there is none."""
        return self.folders.get(controller) or self.folders.get("", "")


def own() -> Groups:
    """Return the group below which this process may make others."""
    first, second = _mounts()
    paths = _memberships()
    if second and (base := _second_base(second, paths.get("", "/"))):
        return Groups("v2", {"": base})
    if set(_V1) <= set(first):
        folders = {each: at + paths.get(each, "/").rstrip("/") for each, at in first.items()}
        return Groups("v1", folders)
    return Groups()


def prepare(groups: Groups, parent: str) -> Groups:
    """Return the platform's group, made and able to have children; ``none`` where it cannot be."""
    ours = groups.child(parent)
    try:
        if groups.mode == "v2":
            _delegate(groups.folders[""])
        for folder in ours.folders.values():
            os.makedirs(folder, exist_ok=True)
        if groups.mode == "v2":
            _switch_on(ours.folders[""])
        _try_out(ours)
    except OSError:
        return Groups()
    return ours


def make(
    groups: Groups, *, memory: int | None, cpu: float | None, processes: int, low: bool
) -> None:
    """Make a sandbox's group with its limits; one left over by that name is emptied first."""
    if any(os.path.isdir(folder) for folder in groups.folders.values()):
        kill(groups)
        remove(groups)
    for folder in groups.folders.values():
        os.makedirs(folder, exist_ok=True)
    if groups.mode == "v1":
        _limit_first(groups, memory, cpu, processes, low)
    elif groups.mode == "v2":
        _limit_second(groups.folders[""], memory, cpu, processes, low)


def join(groups: Groups) -> None:
    """Move this process in; what it starts is in from birth."""
    for folder in groups.folders.values():
        _write(f"{folder}/cgroup.procs", os.getpid())


def members(groups: Groups) -> list[int]:
    """Return the pids inside."""
    try:
        return [int(each) for each in _read(f"{groups.at('pids')}/cgroup.procs").split()]
    except OSError:
        return []


def kill(groups: Groups) -> None:
    """Send SIGKILL to everything inside; it may take a moment until they are gone."""
    for pid in members(groups):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def remove(groups: Groups) -> bool:
    """Remove an empty group; say whether nothing of it is left."""
    for folder in groups.folders.values():
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            continue
        except OSError as why:
            if why.errno in (errno.EBUSY, errno.ENOTEMPTY):
                return False
            raise
    return True


def sweep(groups: Groups) -> None:
    """Remove every empty group below this one; what is not empty stays."""
    for folder in groups.folders.values():
        for name in _below(folder):
            with contextlib.suppress(OSError):
                os.rmdir(f"{folder}/{name}")


def memory_used(groups: Groups) -> int | None:
    """Return the bytes charged to the group."""
    name = "memory.usage_in_bytes" if groups.mode == "v1" else "memory.current"
    return _number(groups.at("memory"), name)


def cpu_used(groups: Groups) -> float | None:
    """Return the seconds of CPU the group has used."""
    if groups.mode == "v1":
        used = _number(groups.at("cpuacct"), "cpuacct.usage")
        return None if used is None else used / 1e9
    used = _entry(groups.at("cpu"), "cpu.stat", "usage_usec")
    return None if used is None else used / 1e6


def process_count(groups: Groups) -> int | None:
    """Return how many processes and threads are in the group."""
    return _number(groups.at("pids"), "pids.current")


def memory_kills(groups: Groups) -> int | None:
    """Return how often the kernel killed in this group for want of memory."""
    name = "memory.oom_control" if groups.mode == "v1" else "memory.events"
    return _entry(groups.at("memory"), name, "oom_kill")


def _mounts() -> tuple[dict[str, str], str]:
    first: dict[str, str] = {}
    second = ""
    for line in _read("/proc/self/mounts").splitlines():
        _, mount, kind, options, *_ = line.split()
        if kind == "cgroup2":
            second = second or mount
        elif kind == "cgroup":
            for option in set(options.split(",")) & set(_V1):
                first.setdefault(option, mount)
    return first, second


def _memberships() -> dict[str, str]:
    paths = {}
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path
    return paths


def _second_base(mount: str, path: str) -> str:
    """Root works below the mount itself where that is allowed, others below their own group."""
    mine = (mount + path.rstrip("/")).removesuffix(_LEAF)
    if unit := os.environ.get(_UNIT):
        mine = f"{os.path.dirname(mine)}/{unit}"
    is_free = os.getuid() == 0 and not unit
    for base in (mount, mine) if is_free else (mine,):
        with contextlib.suppress(OSError):
            offered = set(_read(f"{base}/cgroup.controllers").split())
            given = set(_read(f"{base}/cgroup.subtree_control").split())
            if set(_V2) <= (given if base == mount != mine else offered):
                return base
    return ""


def _delegate(base: str) -> None:
    if set(_V2) <= set(_read(f"{base}/cgroup.subtree_control").split()):
        return
    if os.path.exists(f"{base}/cgroup.type"):  # the root has no such file and needs no move
        os.makedirs(base + _LEAF, exist_ok=True)
        for pid in _read(f"{base}/cgroup.procs").split():
            with contextlib.suppress(ProcessLookupError):
                _write(f"{base}{_LEAF}/cgroup.procs", pid)
    _switch_on(base)


def _switch_on(folder: str) -> None:
    _write(f"{folder}/cgroup.subtree_control", " ".join(f"+{each}" for each in _V2))


def _try_out(ours: Groups) -> None:
    """Make, limit and remove a group: only what was tried can be promised."""
    tried = ours.child(f"try-{os.getpid()}")
    make(tried, memory=64 << 20, cpu=1.0, processes=50, low=False)
    remove(tried)


def _limit_first(
    groups: Groups, memory: int | None, cpu: float | None, processes: int, low: bool
) -> None:
    folders = groups.folders
    if memory:
        _write(f"{folders['memory']}/memory.limit_in_bytes", memory)
        for extra, value in (("memory.memsw.limit_in_bytes", memory), ("memory.swappiness", 0)):
            if os.path.exists(f"{folders['memory']}/{extra}"):
                _write(f"{folders['memory']}/{extra}", value)
    if cpu:
        _write(f"{folders['cpu']}/cpu.cfs_period_us", _PERIOD)
        _write(f"{folders['cpu']}/cpu.cfs_quota_us", max(int(cpu * _PERIOD), 1000))
    if low:
        _write(f"{folders['cpu']}/cpu.shares", 102)
    _write(f"{folders['pids']}/pids.max", processes)


def _limit_second(
    folder: str, memory: int | None, cpu: float | None, processes: int, low: bool
) -> None:
    if memory:
        _write(f"{folder}/memory.max", memory)
        if os.path.exists(f"{folder}/memory.swap.max"):
            _write(f"{folder}/memory.swap.max", 0)
        _write(f"{folder}/memory.oom.group", 1)  # all of it dies, not one worker unseen
    if cpu:
        _write(f"{folder}/cpu.max", f"{max(int(cpu * _PERIOD), 1000)} {_PERIOD}")
    if low:
        _write(f"{folder}/cpu.weight", 10)
    _write(f"{folder}/pids.max", processes)


def _below(folder: str) -> list[str]:
    try:
        return [each.name for each in os.scandir(folder) if each.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _number(folder: str, name: str) -> int | None:
    try:
        return int(_read(f"{folder}/{name}")) if folder else None
    except (OSError, ValueError):
        return None


def _entry(folder: str, name: str, key: str) -> int | None:
    try:
        lines = _read(f"{folder}/{name}").splitlines() if folder else []
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.split()[:1] == [key]]
    return int(found[0]) if found else None


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


def _write(path: str, value: object) -> None:
    with open(path, "w") as file:
        file.write(str(value))
