"""A deny-list of system calls as classic BPF, assembled without any library.

Jumps are computed, never counted by hand: one instruction too far refuses harmless calls. The
numbers of x86_64 are tested; those of aarch64 are not.
"""

import errno
import platform
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass

LD, JEQ, JGE, JSET, RET = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x50000
Instruction = tuple[int, int, int, int]
Code = list[Instruction]

_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_NAMESPACES = 0x7E020000  # CLONE_NEW*, of clone and unshare
_NEW_TIME = 0x80  # CLONE_NEWTIME: a signal number in clone, so tested in unshare alone
_FAST_OPEN, _TIOCSTI, _TIOCLINUX = 0x20000000, 0x5412, 0x541C
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_PROTOCOLS = (0, 1, 6, 17, 58)  # any, ICMP, TCP, UDP, ICMPv6
_X32 = 0x40000000


@dataclass(frozen=True)
class Table:
    """System call numbers of one architecture: the ones refused, and the ones looked into."""

    audit: int
    clone: int
    unshare: int
    clone3: int
    socket: int
    ioctl: int
    sendto: int
    sendmsg: int
    sendmmsg: int
    denied: tuple[int, ...]


_SHARED = (
    *(425, 426, 427),  # io_uring: its requests pass by every filter
    *(428, 429, 430, 431, 432, 433, 442, 467),  # open_tree … mount_setattr, fs*
    *(438, 443),  # pidfd_getfd, quotactl_fd
)
X86_64 = Table(
    audit=0xC000003E,
    clone=56,
    unshare=272,
    clone3=435,
    socket=41,
    ioctl=16,
    sendto=44,
    sendmsg=46,
    sendmmsg=307,
    denied=(
        *_SHARED,
        *(101, 310, 311, 312),  # ptrace, process_vm_readv, process_vm_writev, kcmp
        *(298, 321, 323),  # perf_event_open, bpf, userfaultfd
        *(248, 249, 250),  # add_key, request_key, keyctl
        *(165, 166, 155, 161, 308),  # mount, umount2, pivot_root, chroot, setns
        *(303, 304, 300),  # name_to_handle_at, open_by_handle_at, fanotify_init
        *(246, 320, 175, 313, 176),  # kexec_load, kexec_file_load, *_module
        *(167, 168, 169, 163, 179),  # swapon, swapoff, reboot, acct, quotactl
        *(164, 227, 305, 159),  # settimeofday, clock_settime, clock_adjtime, adjtimex
        *(103, 170, 171, 212),  # syslog, sethostname, setdomainname, lookup_dcookie
        *(172, 173, 154, 278, 135),  # iopl, ioperm, modify_ldt, vmsplice, personality
        *(134, 136, 139, 156, 180, 153),  # uselib, ustat, sysfs, _sysctl, nfsservctl, vhangup
    ),
)
AARCH64 = Table(
    audit=0xC00000B7,
    clone=220,
    unshare=97,
    clone3=435,
    socket=198,
    ioctl=29,
    sendto=206,
    sendmsg=211,
    sendmmsg=269,
    denied=(
        *_SHARED,
        *(117, 270, 271, 272, 241, 280, 282),  # ptrace … userfaultfd, as above
        *(217, 218, 219),  # keys
        *(40, 39, 41, 51, 268),  # mount, umount2, pivot_root, chroot, setns
        *(264, 265, 262),  # file handles, fanotify_init
        *(104, 294, 105, 273, 106),  # kexec, modules
        *(224, 225, 142, 89, 60),  # swap, reboot, acct, quotactl
        *(170, 112, 266, 171),  # clocks
        *(116, 161, 162, 18),  # syslog, names, lookup_dcookie
        *(75, 92, 42, 58),  # vmsplice, personality, nfsservctl, vhangup
    ),
)


def build(table: Table | None = None) -> bytes:
    """Return the filter for ``bwrap --seccomp`` or prctl; for this machine by default."""
    table = table or (X86_64 if platform.machine() == "x86_64" else AARCH64)
    code = _load(_ARCHITECTURE) + _unless_in([table.audit], [(RET, 0, 0, KILL)]) + _load(_NUMBER)
    if table is X86_64:
        code += _when(JGE, _X32, _refuse(errno.ENOSYS))
    for number in sorted(table.denied):
        code += _when(JEQ, number, _refuse(errno.EPERM))
    # Its flags are behind a pointer; the C library falls back to clone.
    code += _when(JEQ, table.clone3, _refuse(errno.ENOSYS))
    code += _namespaces(table) + _sockets(table) + _terminals(table) + _fast_open(table)
    code += [(RET, 0, 0, ALLOW)]
    return b"".join(struct.pack("HBBI", *each) for each in code)


def verdict(
    program: bytes, number: int, arguments: Sequence[int] = (), architecture: int = X86_64.audit
) -> int:
    """Run a filter on one system call as the kernel would; return ALLOW, KILL or the errno."""
    code: Code = [struct.unpack_from("HBBI", program, at) for at in range(0, len(program), 8)]
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, architecture, 0, *padded)
    value = at = 0
    while True:
        operation, yes, no, operand = code[at]
        at += 1
        if operation == RET:
            return operand if operand in (ALLOW, KILL) else operand & 0xFFFF
        if operation == LD:
            value = int.from_bytes(data[operand : operand + 4], sys.byteorder)
        else:
            at += yes if _holds(operation, value, operand) else no


def _holds(operation: int, value: int, operand: int) -> bool:
    if operation == JEQ:
        return value == operand
    return value >= operand if operation == JGE else bool(value & operand)


def _namespaces(table: Table) -> Code:
    code: Code = []
    for number, flags in ((table.unshare, _NAMESPACES | _NEW_TIME), (table.clone, _NAMESPACES)):
        body = _load(_argument(0)) + _when(JSET, flags, _refuse(errno.EPERM)) + _load(_NUMBER)
        code += _when(JEQ, number, body)
    return code


def _sockets(table: Table) -> Code:
    """No hypervisor, packet or crypto sockets, and no protocol Landlock's TCP rules miss."""
    family, protocol = _load(_argument(0)), _load(_argument(2))
    body = family + _unless_in([_UNIX, _INET, _INET6, _NETLINK], _refuse(errno.EAFNOSUPPORT))
    body += _when(JEQ, _NETLINK, protocol + _unless_in([0], _refuse(errno.EPROTONOSUPPORT)))
    body += protocol + _unless_in(_PROTOCOLS, _refuse(errno.EPROTONOSUPPORT))
    return _when(JEQ, table.socket, body + _load(_NUMBER))


def _terminals(table: Table) -> Code:
    """Nobody types into somebody else's terminal."""
    code: Code = []
    for request in (_TIOCSTI, _TIOCLINUX):
        body = _load(_argument(1)) + _when(JEQ, request, _refuse(errno.EPERM)) + _load(_NUMBER)
        code += _when(JEQ, table.ioctl, body)
    return code


def _fast_open(table: Table) -> Code:
    """TCP Fast Open connects without the hook that Landlock watches."""
    code: Code = []
    for number, at in ((table.sendto, 3), (table.sendmsg, 2), (table.sendmmsg, 3)):
        refused = _when(JSET, _FAST_OPEN, _refuse(errno.EOPNOTSUPP))
        code += _when(JEQ, number, _load(_argument(at)) + refused + _load(_NUMBER))
    return code


def _argument(index: int) -> int:
    """Offset of an argument's low half, which is all the kernel reads of the ones tested."""
    return 16 + 8 * index


def _load(offset: int) -> Code:
    return [(LD, 0, 0, offset)]


def _refuse(number: int) -> Code:
    return [(RET, 0, 0, REFUSE | number)]


def _when(test: int, value: int, body: Code) -> Code:
    """Run ``body`` if the test holds, else jump exactly over it."""
    return [(test, 0, len(body), value), *body]


def _unless_in(values: Sequence[int], body: Code) -> Code:
    """Run ``body`` unless the value is one of these."""
    count = len(values)
    jumps = [(JEQ, count - 1 - at + len(body), 0, value) for at, value in enumerate(values)]
    return [*jumps, *body]
