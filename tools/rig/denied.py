"""Runs a command as somebody who may make no user namespace: a machine that forbids them.

It happens in a user namespace of its own, whose allowance is set to none; the machine's own
settings are left alone.
"""

import ctypes
import os
import sys
from pathlib import Path

USER, UID = 0x10000000, 171_303
ALLOWANCE = Path("/proc/sys/user/max_user_namespaces")
HERE = Path("/proc/self/ns/user")


def run(words: list[str]) -> int:
    """Run the command and return its exit status; only root can set this up."""
    before = HERE.readlink()
    ready, mapped = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _become(before, ready[1], mapped[0])
            os.execvp(words[0], words)  # noqa: S606 - that is the point
        except BaseException as why:
            sys.stderr.write(f"{why!r}\n")
        finally:
            os._exit(125)
    os.close(ready[1])
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child}/{name}").write_text("0 0 4294967295\n")
    os.write(mapped[1], b"!")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _become(before: Path, ready: int, mapped: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(USER) or HERE.readlink() == before:
        raise OSError(ctypes.get_errno(), "no user namespace to forbid more in")
    os.write(ready, b"!")
    os.read(mapped, 1)
    ALLOWANCE.write_text("0\n")  # of the namespace we are in, which is not the machine's
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
