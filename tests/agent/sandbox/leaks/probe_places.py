"""Attacks on files, mounts, devices and other processes."""

import ctypes
import errno
import os
from typing import Any

from probe import Targets, attack

libc = ctypes.CDLL(None, use_errno=True)
SHMGET = 29 if os.uname().machine == "x86_64" else 194
OWN_MOUNTS = (
    *("/usr", "/etc/", "/proc", "/dev", "/tmp", "/home/app", "/app", "/data", "/run/env"),
    *("/bin", "/sbin", "/lib", "/own"),
)


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


@attack("file: the other app's secret file")
def _(t: Targets) -> Any:
    return t["secret"] in _read(t["victim_file"])


@attack("file: list the folder of all apps")
def _(t: Targets) -> Any:
    return os.listdir(t["apps"])


@attack("file: the platform's own secret")
def _(t: Targets) -> Any:
    return _read(t["platform_file"])


@attack("file: home folders, /root, /etc/shadow, /var/lib")
def _(t: Targets) -> Any:
    places = ("/root", "/etc/shadow", "/var/lib", "/var/log", "/srv", "/opt", "/etc/ssl/private")
    return [each for each in places if os.path.exists(each)]


@attack("file: the host's /tmp")
def _(t: Targets) -> Any:
    return _read(t["tmp_marker"])


@attack("file: write /usr /etc / /dev /proc/sys or own build")
def _(t: Targets) -> Any:
    new = ("/usr/x", "/etc/x", "/x", "/dev/x", "/run/x", "/var/x", t["app"] + "/x")
    old = ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/run/env", "/etc/passwd")
    for place in (*new, *old):
        flags = os.O_WRONLY | (os.O_CREAT if place in new else 0)
        try:
            os.close(os.open(place, flags))
        except OSError:
            continue
        return place
    return None


@attack("file: fill the machine's memory through /tmp, HOME, /dev/shm")
def _(t: Targets) -> Any:
    for place in ("/tmp", os.environ.get("HOME", "/tmp"), "/dev/shm"):
        found = os.statvfs(place)
        if found.f_blocks * found.f_frsize > 64 << 20:
            return place
    return None


@attack("file: host mounts in /proc/self/mounts")
def _(t: Targets) -> Any:
    points = [line.split()[1] for line in _read("/proc/self/mounts").splitlines()]
    return [each for each in points if each != "/" and not each.startswith(OWN_MOUNTS)]


@attack("file: /sys (devices, cgroup files)")
def _(t: Targets) -> Any:
    return os.listdir("/sys/fs/cgroup")


@attack("file: devices beyond the harmless ones")
def _(t: Targets) -> Any:
    harmless = "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero console"
    return sorted(set(os.listdir("/dev")) - set(harmless.split()))[:5]


@attack("file: open files handed down by the agent")
def _(t: Targets) -> Any:
    return [os.readlink(f"/proc/self/fd/{each}") for each in t["fds"]]


@attack("process: see any other")
def _(t: Targets) -> Any:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if t["marker"] in _read(f"/proc/{pid}/cmdline"):
                return pid
        except OSError:
            continue
    return None


@attack("process: the other's environment")
def _(t: Targets) -> Any:
    return t["secret"] in _read(f"/proc/{t['pid']}/environ")


@attack("process: the other's files through /proc/PID/root")
def _(t: Targets) -> Any:
    return _read(f"/proc/{t['pid']}/root/data/secret")


@attack("process: the other's memory")
def _(t: Targets) -> Any:
    with open(f"/proc/{t['pid']}/mem", "rb"):
        return True


@attack("process: signal the other")
def _(t: Targets) -> Any:
    os.kill(t["pid"], 0)
    return True


@attack("process: any capability, no_new_privs or seccomp missing")
def _(t: Targets) -> Any:
    status = dict(line.split(":", 1) for line in _read("/proc/self/status").splitlines())
    sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    bad = [each for each in sets if int(status[each], 16)]
    return bad + [
        each for each, on in (("NoNewPrivs", 1), ("Seccomp", 2)) if int(status[each]) != on
    ]


@attack("process: uid 0, a shared group")
def _(t: Targets) -> Any:
    if os.getuid() and os.getgid() and not set(os.getgroups()) - {os.getgid()}:
        raise PermissionError
    return os.getuid(), os.getgroups()


@attack("process: more rights by way of pid 1, which may be of the same uid")
def _(t: Targets) -> Any:
    with open("/proc/1/mem", "r+b"):
        status = dict(line.split(":", 1) for line in _read("/proc/1/status").splitlines())
    held = int(status["CapPrm"], 16) or int(status["NoNewPrivs"]) != 1
    return held or int(status["Seccomp"]) != 2


@attack("process: shared memory of the host")
def _(t: Targets) -> Any:
    if libc.syscall(SHMGET, t["shm_key"], 0, 0) < 0:
        raise OSError(ctypes.get_errno(), errno.errorcode[ctypes.get_errno()])
    return True


@attack("works: write /data /tmp HOME /dev/shm", "works")
def _(t: Targets) -> Any:
    for place in (t["data"], "/tmp", os.environ["HOME"], "/dev/shm"):
        name = os.path.join(place, f".probe{os.getpid()}")
        with open(name, "w"):
            os.unlink(name)
    return True


@attack("works: passwd entry, localhost, certificates, an mmap of 0x5412 bytes", "works")
def _(t: Targets) -> Any:
    import mmap
    import pwd
    import socket
    import ssl

    mmap.mmap(-1, 0x5412)
    pwd.getpwuid(os.getuid())
    socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    return bool(ssl.create_default_context())
