"""Who runs an operation: a host since it booted, a process, and when that process began."""

import os
import socket
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def me() -> str:
    """Name this process so that no later one is taken for it."""
    return f"{_host()} {os.getpid()} {_began(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Say whether the owner is certainly dead; of another host nobody can tell from here."""
    host, boot, pid, began = owner.split(" ")
    here, this_boot = _host().split(" ")
    if host != here:
        return False
    return boot != this_boot or _began(int(pid)) != began


def _host() -> str:
    boot = _BOOT.read_text().strip() if _BOOT.exists() else "-"
    return f"{socket.gethostname()} {boot}"


def _began(pid: int) -> str:
    """Return the process's start time in ticks since the boot; a reused pid has another one."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "gone"
    fields = stat.rpartition(")")[2].split()
    return "gone" if fields[0] == "Z" else fields[19]
