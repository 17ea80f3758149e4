"""A trusted app without a sandbox, where none can be made: one process waits, one is its first.

Nothing keeps its files apart from others'. It is bound all the same by what needs no namespace:
Landlock's ports and scopes, the list of forbidden system calls, resource limits, no way to more
rights. Standard library only.

Where a sandbox would show a folder at ``/app``, here it is at its own place; so these names are
written anew in command, environment and scripts. ``view`` is a folder that leads to the app by
one name while it is built and ever after, because a build writes that name into its files.
"""

import ctypes
import os
import re
import signal
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from . import becoming, cgroups, landlock
from .arguments import HOST_ENVIRONMENT, Unusable, environment_file
from .cgroups import Groups
from .spec import SandboxSpec
from .status import append, children, start_ticks

LAST_STEP = 'set -a; . /proc/self/fd/{0}; set +a; exec {0}<&-; exec "$@"'
_SMALL = 1 << 20
_MODULES = "node_modules"
_MOVABLE = {"UV_VENV_RELOCATABLE": "1"}  # what is installed while it is built runs elsewhere
_SET_DEATH_SIGNAL, _SET_SECCOMP, _SUBREAPER, _NO_NEW_PRIVS = 1, 22, 36, 38
_DROP_BOUNDING, _CAPABILITIES = 24, 64
_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)


def become(
    request: Any, *, report: int, stdin: int | None, parent: int, seccomp: bytes
) -> NoReturn:
    """Turn this process into what waits for the app that ``request`` asks for."""
    spec = SandboxSpec.from_json(request["spec"])
    try:
        becoming.announce(spec, report, parent)
        names = places(spec)
        status = becoming.begin(spec, request)
        own = {**_MOVABLE, "TMPDIR": str(Path(spec.state) / "tmp")}
        env = written_anew(environment_file(spec, own | request["env"]), names)
        told = becoming.memory_file(env)
        _prepare(spec, Groups(**request["groups"]), stdin, keep={status, told, report})
        argv = [written_anew(each, names) for each in request["argv"]]
        cwd = written_anew(spec.cwd, names)
        first = _forked(lambda: _be_first(spec, argv, cwd, told, seccomp))
        said = {"child-pid": first, "pid-namespace": os.stat("/proc/self/ns/pid").st_ino}
        append(Path(spec.state), **said, **{"child-ticks": start_ticks(first)})
    except BaseException as why:  # whatever it is, its reader must hear of it
        becoming.give_up(spec, report, why)
    os.close(report)
    os.close(told)
    code = _wait(first)
    append(Path(spec.state), **{"exit-code": code})
    os._exit(code)


def places(spec: SandboxSpec) -> dict[str, str]:
    """Return where what an app would see by these names really is; make what is not there.

    Raises Unusable for a mount that only a sandbox can make.
    """
    state = Path(spec.state)
    names = {"/app": _view(spec)}
    for each in ("home", "tmp"):
        (state / each).mkdir(mode=0o700, exist_ok=True)
    names["/home/app"] = str(state / "home")
    for mount in spec.mounts:
        if mount.source == mount.target:
            continue
        if PurePosixPath(mount.target).is_relative_to("/app"):
            _link(Path(spec.app, PurePosixPath(mount.target).relative_to("/app")), mount.source)
            if PurePosixPath(mount.target).name == _MODULES and not mount.writable:
                # Node looks for modules where a file really is, in folders of this name above it.
                _link(Path(mount.source, _MODULES), ".")
        elif mount.target.startswith(("/build", "/cache", "/run/")):
            names[mount.target] = mount.source
        else:
            raise Unusable(
                f"{mount.target} cannot be mounted without a sandbox: perron doctor says what "
                "this machine lacks"
            )
    if scripts := names.get("/build"):
        names["/build"] = _scripts(Path(scripts), state / "build", names)
    return names


def written_anew(text: str, names: Mapping[str, str]) -> str:
    """Return a text with every name that stands alone replaced by where that is."""
    longest = sorted(names, key=len, reverse=True)
    pattern = rf"(?<![\w./-])({'|'.join(map(re.escape, longest))})(?![\w.-])"
    return re.sub(pattern, lambda found: names[found[1]], text)


def enter(spec: SandboxSpec, app: int, argv: Sequence[str], term: str, seccomp: bytes) -> NoReturn:
    """Be a command beside a running app: its folder, its environment, its bounds."""
    names = places(spec)
    env = dict(_environment_of(app))
    os.chdir(written_anew(spec.cwd, names))
    _bind(seccomp)
    words = [written_anew(each, names) for each in argv]
    os.execvpe(words[0], words, {**env, "TERM": term})  # noqa: S606 - that is the point


def _view(spec: SandboxSpec) -> str:
    if not spec.view:
        return spec.app
    link = Path(spec.view) / "app"
    link.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _link(link, spec.app)
    return str(link)


def _link(path: Path, to: str) -> None:
    """Have the path lead there; an empty folder made to be mounted over gives way."""
    if path.is_symlink() and os.readlink(path) == to:
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    mode = path.parent.stat().st_mode & 0o7777
    os.chmod(path.parent, mode | 0o300)  # a finished build is read-only
    try:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        fresh.symlink_to(to)
        os.replace(fresh, path)
    finally:
        os.chmod(path.parent, mode)


def _scripts(source: Path, to: Path, names: Mapping[str, str]) -> str:
    """Copy a build's scripts with every name replaced."""
    to.mkdir(mode=0o700, exist_ok=True)
    here = {**names, "/build": str(to)}
    for each in source.iterdir():
        if each.is_file() and each.stat().st_size < _SMALL:
            (to / each.name).write_text(written_anew(each.read_text(), here))
    return str(to)


def _prepare(spec: SandboxSpec, groups: Groups, stdin: int | None, keep: set[int]) -> None:
    becoming.connect_streams(spec, "C", stdin)
    becoming.close_files(keep)
    cgroups.make(
        groups, memory=spec.memory, cpu=spec.cpu, processes=spec.processes, low=spec.low_priority
    )
    cgroups.join(groups)
    becoming.lower(spec)
    becoming.limit_all(spec, tier="C", groups=groups)
    becoming.restrict_network(spec)
    landlock.libc.prctl(_SUBREAPER, 1, 0, 0, 0)


def _be_first(
    spec: SandboxSpec, argv: Sequence[str], cwd: str, told: int, seccomp: bytes
) -> NoReturn:
    """Be the first process: start the app, wait for it, and end whatever it leaves."""
    becoming.close_files({told})  # our waiting parent alone tells the agent
    landlock.libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    for each in _ENDS:
        signal.signal(each, signal.SIG_IGN)  # these are for the app; our end is SIGKILL
    app = _forked(lambda: _be_app(argv, cwd, told, seccomp))
    os.close(told)
    os._exit(_wait(app))


def _be_app(argv: Sequence[str], cwd: str, told: int, seccomp: bytes) -> NoReturn:
    landlock.libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    os.umask(0o022)
    becoming.reset_signals()
    os.set_inheritable(told, True)
    os.chdir(cwd)
    _bind(seccomp)
    step = LAST_STEP.format(told)
    words = ["/bin/sh", "-c", step, "sh", *argv]
    os.execve("/bin/sh", words, HOST_ENVIRONMENT)  # noqa: S606 - that is the point


def _bind(seccomp: bytes) -> None:
    """Give up every capability, and the system calls no app needs, for good."""
    for each in range(_CAPABILITIES):
        landlock.libc.prctl(_DROP_BOUNDING, each, 0, 0, 0)
    landlock.libc.capset(struct.pack("Ii", 0x20080522, 0), bytes(24))
    landlock.libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    loaded = Program(len(seccomp) // 8, seccomp)
    if landlock.libc.prctl(_SET_SECCOMP, 2, ctypes.byref(loaded), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def _forked(then: Callable[[], NoReturn]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            then()
        except BaseException as why:  # whatever it is, the app's own log tells it
            os.write(2, f"perron: the app could not be started: {why}\n".encode())
        finally:
            os._exit(126)
    return pid


def _wait(pid: int) -> int:
    """Return the exit code of a child; whatever of it came to us is ended."""
    code = 0
    while True:
        try:
            ended, status = os.wait()
        except ChildProcessError:
            return code
        if ended == pid:
            code = os.waitstatus_to_exitcode(status)
            code = 128 - code if code < 0 else code
            _end_children()


def _end_children() -> None:
    for each in children(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _environment_of(pid: int) -> list[tuple[str, str]]:
    lines = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    pairs = (os.fsdecode(line).partition("=") for line in lines if line)
    return [(name, value) for name, _, value in pairs]
