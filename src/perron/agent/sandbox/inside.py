"""Go into a running sandbox and run a command there, under everything its app is under.

A small program of its own, because between joining the namespaces and exec a process carries
its memory and files into the app's view. Standard library only.

``nsenter`` is refused for an ordinary user's sandbox: pid, ipc and mount namespaces belong to
an outer user namespace, the app lives in an inner one. The owner is joined first, then these,
then the inner one. No capability is needed: who made a user namespace has all of them in it.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import termios
import time
from pathlib import Path
from typing import Any, NoReturn

from . import bare, cgroups, seccomp
from .arguments import HOST_ENVIRONMENT, LAST_STEP
from .becoming import close_files, limit, limit_all, reset_signals, restrict_network
from .landlock import libc, syscall
from .spec import SandboxSpec
from .status import Status, children, inside_lives, read_spec, read_status

_NS_GET_USERNS = 0xB701
_SETNS = 308 if os.uname().machine == "x86_64" else 268
_SET_DEATH_SIGNAL, _SET_DUMPABLE, _NO_NEW_PRIVS, _SET_SECCOMP = 1, 4, 38, 22
_DROP_BOUNDING, _AMBIENT, _AMBIENT_CLEAR = 24, 47, 4
_CAPABILITIES = 64
_UNLOCK, _NUMBER = 0x40045431, 0x80045430  # TIOCSPTLCK, TIOCGPTN
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)


_SET_UP_WITHIN, _MOMENT = 5.0, 0.005  # seconds
END = signal.SIGUSR2  # to the process that waits: the session is over


class Ended(Exception):
    """The sandbox is not running any more."""


def main() -> None:
    """Run what the request says; end with the command's exit code."""
    channel = socket.socket(fileno=int(sys.argv[-2]))
    with open(int(sys.argv[-1]), "rb") as file:
        request = json.load(file)
    try:
        libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)  # the session ends with the agent
        libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)  # the app may not look into us on our way
        app = _enter(request, channel)
    except BaseException as why:  # whatever it is, the agent must hear of it
        channel.send(json.dumps({"problem": str(why), "ended": isinstance(why, Ended)}).encode())
        os._exit(126)
    channel.close()
    _forward(app)
    os._exit(_code(os.waitpid(app, 0)[1]))


def _forward(app: int) -> None:
    """Pass signals on; END, and our parent's death, end the command.

    We stay until it is reaped: a zombie with a parent outside would keep its namespace alive.
    """

    def pass_on(number: int, _: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(app, signal.SIGKILL if number == END else number)

    for each in (*_FORWARDED, END):
        signal.signal(each, pass_on)
    libc.prctl(_SET_DEATH_SIGNAL, END, 0, 0, 0)
    if os.getppid() == 1:
        os.kill(app, signal.SIGKILL)


def _enter(request: Any, channel: socket.socket) -> int:
    """Fork into the sandbox; return the pid of what runs there."""
    state = Path(request["state"])
    status = read_status(state)
    if status is None or status.child is None or not inside_lives(status):
        raise Ended("The sandbox has ended.")
    _await_app(status, status.child)
    spec = read_spec(state)
    program = seccomp.build()
    joined = _namespaces(status, status.child)
    if not inside_lives(status):  # what was opened is its own, not that of a reused pid
        raise Ended("The sandbox has ended.")
    cgroups.join(status.groups)  # while the host's /sys is still there
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("300")
    for each in joined:
        syscall("setns", _SETNS, each, 0)
    app = os.fork()  # a pid namespace holds for children only
    if app == 0:
        try:
            _run(spec, status, request, channel, program)
        except BaseException as why:  # whatever it is, the agent must hear of it
            channel.send(json.dumps({"problem": str(why), "ended": False}).encode())
        finally:
            os._exit(126)
    return app


def _await_app(status: Status, first: int) -> None:
    """Wait until bwrap has begun the app: before that there is no /proc inside."""
    end = time.monotonic() + _SET_UP_WITHIN
    while not children(first) and inside_lives(status) and time.monotonic() < end:
        time.sleep(_MOMENT)


def _namespaces(status: Status, pid: int) -> list[int]:
    """Open the namespaces in the order in which they must be joined."""
    if status.tier == "C":
        return []
    kinds = ("pid", "ipc", "uts", "cgroup", "mnt")
    opened = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in kinds]
    if status.tier == "A":
        return opened
    owner = fcntl.ioctl(opened[0], _NS_GET_USERNS)
    return [owner, *opened, os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)]


def _run(
    spec: SandboxSpec, status: Status, request: Any, channel: socket.socket, program: bytes
) -> NoReturn:
    """Be the command: the app can see this process from its first moment."""
    close_files({channel.fileno()})
    restrict_network(spec, signals=True)  # its sibling domain could else not signal the app
    _give_up_rights(spec, status.tier)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)  # a change of uid had cleared it
    os.setsid()
    os.umask(0o022)
    reset_signals()
    if request["terminal"]:
        _take_terminal(channel, request["size"])
    else:
        channel.send(json.dumps({"ready": True}).encode())
    close_files(set())
    limit_all(spec, tier=status.tier, groups=status.groups)
    if status.tier == "C":
        app = children(status.child or 0)[0]
        bare.enter(spec, app, request["argv"], request["term"], program)
    if status.tier == "B":
        limit("NPROC", spec.processes)
    os.chdir(spec.cwd)
    _filter(program)
    words = ["sh", "-c", LAST_STEP, "sh", *request["argv"]]
    os.execve("/bin/sh", words, {**HOST_ENVIRONMENT, "TERM": request["term"]})  # noqa: S606


def _give_up_rights(spec: SandboxSpec, tier: str) -> None:
    """No group, no uid, no capability, no way back; joining a user namespace had given all."""
    if tier == "A":
        os.setgroups([])
    libc.prctl(_AMBIENT, _AMBIENT_CLEAR, 0, 0, 0)
    for each in range(_CAPABILITIES):
        libc.prctl(_DROP_BOUNDING, each, 0, 0, 0)
    if tier == "A":
        os.setresgid(spec.uid, spec.uid, spec.uid)
        os.setresuid(spec.uid, spec.uid, spec.uid)
    if tier != "C" and libc.capset(struct.pack("Ii", 0x20080522, 0), bytes(24)):
        raise OSError(ctypes.get_errno(), "capset")


def _take_terminal(channel: socket.socket, size: list[int]) -> None:
    """Open a terminal of the sandbox's own, so that its name and job control work inside."""
    master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(master, _UNLOCK, struct.pack("i", 0))
    number = struct.unpack("i", fcntl.ioctl(master, _NUMBER, bytes(4)))[0]
    slave = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    socket.send_fds(channel, [json.dumps({"ready": True}).encode()], [master])
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for each in (0, 1, 2):
        os.dup2(slave, each)


def _filter(program: bytes) -> None:
    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    loaded = Program(len(program) // 8, program)
    if libc.prctl(_SET_SECCOMP, 2, ctypes.byref(loaded), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def _code(status: int) -> int:
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
