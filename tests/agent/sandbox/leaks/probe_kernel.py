"""Attacks on the kernel: namespaces, mounts, keys, rings, foreign system calls."""

import ctypes
import fcntl
import mmap
import os
import signal
import socket
from typing import Any

from probe import Targets, attack

X86 = os.uname().machine == "x86_64"
NEW_USER = 0x10000000
libc = ctypes.CDLL(None, use_errno=True)


def _call(*arguments: object) -> int:
    result = int(libc.syscall(*arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _words(*values: tuple[int, int], size: int) -> Any:
    content = b"".join(value.to_bytes(width, "little") for value, width in values)
    return ctypes.create_string_buffer(content, size)


def _family(number: int, kind: int) -> Any:
    def open_it(_: Targets) -> Any:
        with socket.socket(number, kind, 0) as made:
            return made.fileno()

    return open_it


for _number, _kind, _name in (
    *((17, 3, "packet"), (38, 5, "alg (kernel crypto)"), (40, 1, "vsock (hypervisor)")),
    *((43, 1, "smc"), (15, 3, "key")),
):
    attack(f"socket family: {_name}")(_family(_number, _kind))


@attack("kernel: new user namespace (unshare)")
def _(t: Targets) -> Any:
    return _call(272 if X86 else 97, NEW_USER) == 0


@attack("kernel: new user namespace (clone)")
def _(t: Targets) -> Any:
    pid = _call(56 if X86 else 220, NEW_USER | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return pid


@attack("kernel: new user namespace (clone3)")
def _(t: Targets) -> Any:
    arguments = (ctypes.c_uint64 * 8)(NEW_USER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    pid = _call(435, arguments, 64)
    if pid == 0:
        os._exit(0)
    return pid


@attack("kernel: join the namespaces of pid 1")
def _(t: Targets) -> Any:
    return _call(308 if X86 else 268, os.open("/proc/1/ns/mnt", os.O_RDONLY), 0) == 0


@attack("kernel: mount")
def _(t: Targets) -> Any:
    return _call(165 if X86 else 40, b"x", b"/tmp", b"tmpfs", 0, 0) == 0


@attack("kernel: key rings")
def _(t: Targets) -> Any:
    return _call(250 if X86 else 219, 0, -3, 0)


@attack("kernel: add a key")
def _(t: Targets) -> Any:
    return _call(248 if X86 else 217, b"user", b"x", b"y", 1, -2)


@attack("kernel: io_uring")
def _(t: Targets) -> Any:
    return _call(425, 1, ctypes.create_string_buffer(200))


@attack("kernel: ptrace")
def _(t: Targets) -> Any:
    return _call(101 if X86 else 117, 0, 0, 0, 0) == 0


@attack("kernel: bpf")
def _(t: Targets) -> Any:
    return _call(321 if X86 else 280, 0, _words((1, 4), (4, 4), (4, 4), (4, 4), size=128), 128)


@attack("kernel: performance events")
def _(t: Targets) -> Any:
    asked = _words((1, 4), (120, 4), (1, 8), (0, 24), (0x61, 8), size=120)
    return _call(298 if X86 else 241, asked, 0, -1, -1, 0)


@attack("kernel: userfaultfd")
def _(t: Targets) -> Any:
    return _call(323 if X86 else 282, 1)


@attack("kernel: file handles")
def _(t: Targets) -> Any:
    handle, mount = _words((128, 4), size=200), ctypes.create_string_buffer(8)
    return _call(303 if X86 else 264, -100, b"/usr", handle, mount, 0) == 0


@attack("kernel: type into a terminal")
def _(t: Targets) -> Any:
    _, slave = os.openpty()
    os.setsid()
    fcntl.ioctl(slave, 0x540E, 0)  # TIOCSCTTY
    return fcntl.ioctl(slave, 0x5412, b"x") is not None


@attack("kernel: 32-bit system calls")
def _(t: Targets) -> Any:
    if not X86:
        return None
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # getpid by int 0x80
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(ctypes.c_int)(place)() > 0


@attack("kernel: x32 system calls")
def _(t: Targets) -> Any:
    return _call(0x40000000 + 39)
