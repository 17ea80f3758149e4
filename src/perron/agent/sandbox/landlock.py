"""Landlock: TCP ports by allow-list, abstract sockets and signals kept inside.

Ports and scopes only. A ruleset with any right on files forbids mount(2), and bwrap could not
start after it. Rules know ports, not addresses; one rule is one kernel object, so lists stay
short (20 ports cost 37 KB, "all but a band" would cost 4 MB for each instance).
"""

import ctypes
import functools
import os
import struct
from collections.abc import Iterable

SCOPE_ABSTRACT_UNIX, SCOPE_SIGNAL = 1, 2
PORTS_ABI, SCOPES_ABI = 4, 6  # since kernel 6.7 and 6.12

libc = ctypes.CDLL(None, use_errno=True)
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_NO_NEW_PRIVS = 38
_BIND_TCP, _CONNECT_TCP, _NET_PORT = 1, 2, 2


def syscall(what: str, *arguments: object) -> int:
    """Make a system call, or raise OSError that says ``what`` failed."""
    result = int(libc.syscall(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


@functools.cache
def abi() -> int:
    """Return the version of Landlock this kernel speaks; 0 is none."""
    return max(int(libc.syscall(_CREATE_RULESET, None, 0, 1)), 0)


def restrict(
    *, bind: Iterable[int], connect: Iterable[int], scope: int = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL
) -> None:
    """Bind this process and all it starts, for good, to these ports and this scope."""
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if abi() < PORTS_ABI:
        return
    scoped = scope if abi() >= SCOPES_ABI else 0
    attributes = struct.pack("QQQ", 0, _BIND_TCP | _CONNECT_TCP, scoped)
    length = 24 if abi() >= SCOPES_ABI else 16
    ruleset = syscall("landlock_create_ruleset", _CREATE_RULESET, attributes[:length], length, 0)
    for right, ports in ((_BIND_TCP, bind), (_CONNECT_TCP, connect)):
        for port in set(ports):
            rule = struct.pack("QQ", right, port)
            syscall(f"landlock port {port}", _ADD_RULE, ruleset, _NET_PORT, rule, 0)
    syscall("landlock_restrict_self", _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
