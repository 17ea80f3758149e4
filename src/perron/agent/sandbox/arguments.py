"""The complete arguments of bwrap, and the steps inside that end in the app."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from .spec import SandboxSpec

HOST_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}
# The last step, already unprivileged: only here does the app's environment arrive. By execve
# or --setenv, LD_PRELOAD and its kin would be obeyed by bwrap or setpriv, as root.
LAST_STEP = 'set -a; . /run/env; set +a; exec "$@"'
HOME = "/home/app"
_PATH = "/app/.venv/bin:/app/node_modules/.bin:/usr/local/bin:/usr/bin:/bin"
# What programs need of /etc. Never all of it: it holds shadow, keys, other software's passwords.
_ETC = (
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "timezone"),
    *("ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/ca-trust/extracted"),
    *("ca-certificates", "nsswitch.conf", "gai.conf", "host.conf", "services", "protocols"),
    *("mime.types", "os-release", "debian_version", "magic", "fonts", "terminfo"),
    *("python3", "python3.11", "java"),
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEPT_BY_SHELLS = frozenset(
    ("UID", "EUID", "PPID", "OPTIND", "IFS", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO")
)
_CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")  # for setpriv, which drops them


class Unusable(ValueError):
    """Something asked of the sandbox can never work; the text says what."""


def check_environment(env: Mapping[str, str]) -> None:
    """Refuse names and values that no environment can hold; values are never repeated."""
    for name, value in env.items():
        if not _NAME.fullmatch(name):
            raise Unusable(
                f"{name!r} cannot be the name of an environment variable: "
                "use letters, digits and _, and no digit first."
            )
        if name in _KEPT_BY_SHELLS:
            raise Unusable(f"{name} is kept by the shell itself: choose another name.")
        if "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise Unusable(f"The value of {name} holds a character no environment can hold.")


def environment_file(spec: SandboxSpec, env: Mapping[str, str]) -> str:
    """Return the app's environment as a file for the shell."""
    check_environment(env)
    complete = {
        "PATH": ":".join([*spec.path, _PATH]),
        "LANG": "C.UTF-8",
        "HOME": HOME,
        "USER": "app",
        "TMPDIR": "/tmp",  # noqa: S108 - a folder of this sandbox alone
        **env,
    }
    quoted = {name: value.replace("'", "'\\''") for name, value in complete.items()}
    return "".join(f"{name}='{value}'\n" for name, value in quoted.items())


def small_files(spec: SandboxSpec, uid: int) -> dict[str, str]:
    """Return the files of /etc made for this sandbox, by name.

    A uid without an entry breaks initdb, git, ssh and getpass. The host's own hosts and
    resolv.conf may hold more than tenants should see, or lead nowhere inside.
    """
    nobody = "nobody:x:65534:65534::/nonexistent:/bin/false\n"
    return {
        "passwd": "root:x:0:0::/nonexistent:/bin/false\n"
        f"app:x:{uid}:{uid}::{HOME}:/bin/sh\n{nobody}",
        "group": f"root:x:0:\napp:x:{uid}:\nnogroup:x:65534:\n",
        "hosts": f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {spec.name}\n",
        "resolv.conf": _resolver(),
    }


def bwrap_arguments(spec: SandboxSpec, *, tier: str, files: Mapping[str, int]) -> list[str]:
    """Return everything between ``bwrap`` and ``--``; it is done in this order."""
    return [
        *_namespaces(spec, tier),
        *_system(),
        *_etc(files),
        *_own_places(spec),
        *_mounts(spec),
        *("--perms", "0444", "--ro-bind-data", str(files["env"]), "/run/env"),
        *("--chdir", spec.cwd, "--seccomp", str(files["seccomp"])),
        # Never --info-fd: a pipe whose reader was killed would end bwrap between its two halves.
        *("--json-status-fd", str(files["status"])),
        *("--remount-ro", "/"),  # last: until here the root is writable memory
    ]


def last_steps(spec: SandboxSpec, *, tier: str, argv: Sequence[str]) -> list[str]:
    """Return what bwrap starts: give up every right, read the environment, become the app."""
    if tier == "A":
        drop = ["--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"]
        ids = [f"--reuid={spec.uid}", f"--regid={spec.uid}"]
        steps = ["setpriv", *ids, *drop, "--no-new-privs"]
    else:  # inside the user namespace the limit counts this sandbox alone
        steps = ["prlimit", f"--nproc={spec.processes}:{spec.processes}"]
    return [*steps, "--", "/bin/sh", "-c", LAST_STEP, "sh", *argv]


def _namespaces(spec: SandboxSpec, tier: str) -> list[str]:
    """The network stays the host's: Landlock keeps ports apart, at no cost for a request."""
    words = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    words += ["--hostname", spec.name, "--cap-drop", "ALL", "--new-session"]
    if tier == "A":  # without any --cap option bwrap run by root keeps every capability
        for each in _CAPABILITIES:
            words += ["--cap-add", each]
    else:
        words += ["--unshare-user", "--disable-userns"]
    return [*words, "--die-with-parent"] if spec.die_with_parent else words


def _system() -> list[str]:
    """/usr and what leads there; no /sys, /opt, /srv, /var, /root, /home of the host."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        folder = Path("/", name)
        if folder.is_symlink():
            words += ["--symlink", os.readlink(folder), str(folder)]
        elif folder.is_dir():
            words += ["--ro-bind", str(folder), str(folder)]
    return words


def _etc(files: Mapping[str, int]) -> list[str]:
    words = [*_parents("/etc/ssl/x"), *_parents("/var/x"), *_parents("/run/x")]
    for name in _ETC:
        if Path("/etc", name).exists():
            words += [*_parents(f"/etc/{name}"), "--ro-bind", f"/etc/{name}", f"/etc/{name}"]
    for name in ("passwd", "group", "hosts", "resolv.conf"):
        words += ["--perms", "0444", "--ro-bind-data", str(files[name]), f"/etc/{name}"]
    return words


def _own_places(spec: SandboxSpec) -> list[str]:
    """Its own /proc and /dev, and the sized folders it may write to."""
    return [
        *("--proc", "/proc", "--dev", "/dev"),
        *_memory("/dev/shm", spec.shm_size),  # noqa: S108 - of this sandbox alone
        *("--remount-ro", "/dev"),  # its tmpfs would be memory without a limit
        *_memory("/tmp", spec.tmp_size),  # noqa: S108 - of this sandbox alone
        *("--symlink", "/tmp", "/var/tmp"),  # noqa: S108 - of this sandbox alone
        *_parents(HOME),
        *_memory(HOME, spec.home_size),
    ]


def _memory(folder: str, size: int) -> list[str]:
    # 1777: bwrap cannot change owners, and nobody else is inside.
    return ["--size", str(size), "--perms", "1777", "--tmpfs", folder]


def _mounts(spec: SandboxSpec) -> list[str]:
    words = ["--bind" if spec.app_writable else "--ro-bind", spec.app, "/app"]
    for each in spec.mounts:
        if each.source == each.target and PurePosixPath(each.target).is_relative_to("/usr"):
            continue  # already there, and no mount point can be made in it
        words += _parents(each.target)
        words += ["--bind" if each.writable else "--ro-bind", each.source, each.target]
    return words


def _parents(path: str) -> list[str]:
    """Make every folder above with its mode; bwrap's own would be closed to the app's uid."""
    above = [str(each) for each in reversed(PurePosixPath(path).parents[:-1])]
    if above[:1] == ["/app"] or above[:1] == ["/usr"]:
        return []
    return [word for each in above for word in ("--perms", "0755", "--dir", each)]


def _resolver() -> str:
    path = Path("/etc/resolv.conf")
    lines = path.read_text().splitlines() if path.exists() else []
    wanted = ("nameserver", "search", "options")
    return "".join(f"{line}\n" for line in lines if line.split()[:1] and line.split()[0] in wanted)
