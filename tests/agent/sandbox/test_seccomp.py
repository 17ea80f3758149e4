"""The filter, run through an interpreter: what it refuses, and that it refuses nothing else."""

import errno

import pytest

from perron.agent.sandbox import seccomp
from perron.agent.sandbox.seccomp import AARCH64, ALLOW, KILL, X86_64

UNIX, INET, INET6, NETLINK, PACKET, ALG, VSOCK = 1, 2, 10, 16, 17, 38, 40
STREAM, DGRAM, NONBLOCK_CLOEXEC = 1, 2, 0o2004000
MPTCP, SMC, TCP = 262, 256, 6
FAST_OPEN = 0x20000000


@pytest.mark.parametrize(
    ("number", "arguments", "expected"),
    [
        (0, (), ALLOW),  # read
        (59, (), ALLOW),  # execve
        (9, (0, 0x5412), ALLOW),  # an mmap of as many bytes as TIOCSTI has for a number
        (11, (0, 0x541C), ALLOW),
        (16, (0, 0x5413), ALLOW),  # asking for a terminal's size
        (16, (0, 0x5412), errno.EPERM),  # TIOCSTI
        (16, (0, 0x541C), errno.EPERM),  # TIOCLINUX
        (41, (INET, STREAM, 0), ALLOW),
        (41, (INET, DGRAM, 17), ALLOW),
        (41, (INET6, STREAM | NONBLOCK_CLOEXEC, TCP), ALLOW),
        (41, (UNIX, STREAM, 0), ALLOW),
        (41, (NETLINK, 3, 0), ALLOW),  # routes, which getaddrinfo asks for
        (41, (NETLINK, 3, 6), errno.EPROTONOSUPPORT),  # xfrm
        (41, (INET, STREAM, MPTCP), errno.EPROTONOSUPPORT),
        (41, (INET, STREAM, SMC), errno.EPROTONOSUPPORT),
        (41, (PACKET, 3, 0), errno.EAFNOSUPPORT),
        (41, (ALG, 5, 0), errno.EAFNOSUPPORT),
        (41, (VSOCK, STREAM, 0), errno.EAFNOSUPPORT),
        (56, (0x1200011,), ALLOW),  # clone as fork does
        (56, (0x10000011,), errno.EPERM),  # clone with a user namespace
        (272, (0x400,), ALLOW),  # unshare of files
        (272, (0x10000000,), errno.EPERM),
        (272, (0x80,), errno.EPERM),  # a time namespace
        (435, (), errno.ENOSYS),  # clone3
        (44, (3, 0, 0, 0x4000), ALLOW),  # sendto with MSG_NOSIGNAL
        (44, (3, 0, 0, FAST_OPEN), errno.EOPNOTSUPP),
        (46, (3, 0, FAST_OPEN), errno.EOPNOTSUPP),
        (307, (3, 0, 0, FAST_OPEN), errno.EOPNOTSUPP),
        (101, (), errno.EPERM),  # ptrace
        (165, (), errno.EPERM),  # mount
        (321, (), errno.EPERM),  # bpf
        (425, (), errno.EPERM),  # io_uring_setup
        (0x40000000 + 39, (), errno.ENOSYS),  # x32
    ],
)
def test_each_call_gets_its_verdict(number: int, arguments: tuple[int, ...], expected: int) -> None:
    assert seccomp.verdict(seccomp.build(X86_64), number, arguments) == expected


def test_another_architecture_is_killed() -> None:
    assert seccomp.verdict(seccomp.build(X86_64), 20, architecture=0x40000003) == KILL


@pytest.mark.parametrize("table", [X86_64, AARCH64])
def test_every_denied_number_is_refused_and_its_neighbours_are_judged_alone(
    table: seccomp.Table,
) -> None:
    program = seccomp.build(table)
    inspected = {table.clone3, table.socket}
    for number in range(500):
        found = seccomp.verdict(program, number, architecture=table.audit)
        if number in table.denied:
            assert found == errno.EPERM
        elif number not in inspected:
            assert found == ALLOW, number


def test_no_number_is_in_the_list_twice() -> None:
    for table in (X86_64, AARCH64):
        assert len(set(table.denied)) == len(table.denied)
