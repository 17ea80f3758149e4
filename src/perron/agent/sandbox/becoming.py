"""What a freshly forked process does to itself until it is a sandbox.

Standard library only. Nothing of ours stays: bwrap is the shim that waits for the app and
writes down its exit code.
"""

import contextlib
import json
import os
import resource
import signal
import time
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from . import cgroups, landlock
from .arguments import (
    HOST_ENVIRONMENT,
    Unusable,
    bwrap_arguments,
    environment_file,
    last_steps,
    small_files,
)
from .cgroups import Groups
from .spec import SandboxSpec
from .status import SPEC, STATUS, append, has_ended, read_status, start_ticks

# Python, nohup and background jobs ignore some of these, and exec would hand that on.
_RESET = (
    *(signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM),
    *(signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
)
_SET_DEATH_SIGNAL = 1
_OOM_SCORE, _OOM_SCORE_LOW = 300, 600  # a full machine ends a tenant's process, not the platform's


def become(
    request: Any, *, report: int, stdin: int | None, parent: int, seccomp: bytes
) -> NoReturn:
    """Turn this process into the sandbox that ``request`` asks for, or say why not and end.

    Lines of JSON go to ``report``: the pid at once, and a problem. It closes when bwrap takes
    over; from then on the status file tells.
    """
    spec = SandboxSpec.from_json(request["spec"])
    try:
        announce(spec, report, parent)
        files = _prepare(spec, request, report, stdin, seccomp)
        options = memory_file("\0".join(bwrap_arguments(spec, tier=request["tier"], files=files)))
        steps = last_steps(spec, tier=request["tier"], argv=request["argv"])
        words = ["bwrap", "--args", str(options), "--", *steps]
        os.execve(request["bwrap"], words, HOST_ENVIRONMENT)  # noqa: S606 - that is the point
    except BaseException as why:  # whatever it is, its reader must hear of it
        give_up(spec, report, why)


def announce(spec: SandboxSpec, report: int, parent: int) -> None:
    """Say which process we are, and end with the launcher where that is wanted."""
    _tell(report, {"pid": os.getpid()})
    if spec.die_with_parent:
        landlock.libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            raise OSError("The launcher is gone.")


def give_up(spec: SandboxSpec, report: int, why: BaseException) -> NoReturn:
    """Tell why nothing came of it, and end."""
    _remember(spec, str(why))  # first: telling an agent that was killed may end us
    _tell(report, {"problem": str(why), "permanent": _is_permanent(why)})
    os._exit(125)


def limit(name: str, value: int) -> None:
    """Set a resource limit for this process and all it starts."""
    which = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def limit_all(spec: SandboxSpec, *, tier: str, groups: Groups) -> None:
    """Set every limit that needs no control group.

    Tier A's count of processes is per uid, over all instances of an environment: it serves only
    where no group counts them one by one.
    """
    limit("CORE", 0)
    limit("NOFILE", spec.open_files)
    if groups.mode == "none":
        if tier == "A":
            limit("NPROC", spec.processes)
        if spec.memory:
            limit("DATA", spec.memory)


def reset_signals() -> None:
    """Give every signal its default meaning again, and let all of them through."""
    for each in _RESET:
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def close_files(keep: set[int]) -> None:
    """Close everything but 0 to 2 and ``keep``: bwrap hands open files on to the app."""
    for each in [int(name) for name in os.listdir("/proc/self/fd")]:
        if each > 2 and each not in keep:
            with contextlib.suppress(OSError):  # the listing's own descriptor
                os.close(each)


def restrict_network(spec: SandboxSpec, *, signals: bool = False) -> None:
    """Allow its own port and the listed ones; ``signals``: may signal what others started."""
    own = [] if spec.port is None else [spec.port]
    scope = landlock.SCOPE_ABSTRACT_UNIX | (0 if signals else landlock.SCOPE_SIGNAL)
    landlock.restrict(bind=[*own, 0], connect=[*own, *spec.connect], scope=scope)


def _prepare(
    spec: SandboxSpec, request: Any, report: int, stdin: int | None, seccomp: bytes
) -> dict[str, int]:
    """Do all that must be done before bwrap; return the files it is given, by name."""
    groups = Groups(**request["groups"])
    status = begin(spec, request)
    _make_mount_points(spec, request["tier"])
    files = {
        name: memory_file(content)
        for name, content in small_files(
            spec, spec.uid if request["tier"] == "A" else os.getuid()
        ).items()
    }
    files["env"] = memory_file(environment_file(spec, request["env"]))
    files["seccomp"] = memory_file(seccomp)
    files["status"] = status
    connect_streams(spec, request["tier"], stdin)
    close_files({*files.values(), report})
    cgroups.make(
        groups, memory=spec.memory, cpu=spec.cpu, processes=spec.processes, low=spec.low_priority
    )
    cgroups.join(groups)
    lower(spec)
    limit_all(spec, tier=request["tier"], groups=groups)
    restrict_network(spec)  # before bwrap, so that its own pid 1 is held too
    return files


def begin(spec: SandboxSpec, request: Any) -> int:
    """Begin a session of our own, leave spec and status behind, and return the status file.

    That comes first: an agent that dies now finds what it started.
    """
    os.setsid()
    os.umask(0o022)
    reset_signals()
    groups = Groups(**request["groups"])
    state = Path(spec.state)
    found = read_status(state)
    if found and not has_ended(found):
        raise OSError("What an earlier start began still runs")
    _keep(state, json.dumps(spec.to_json()))
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    status = os.open(state / STATUS, flags, 0o600)
    said = {
        "shim": os.getpid(),
        "ticks": start_ticks(os.getpid()),
        "started": datetime.fromtimestamp(time.time(), UTC).isoformat(),
        "command": request["command"],
        "tier": request["tier"],
        "groups": {"mode": groups.mode, "folders": groups.folders},
    }
    os.write(status, json.dumps(said).encode() + b"\n")
    os.set_inheritable(status, True)
    return status


def _keep(state: Path, spec: str) -> None:
    """Write the spec, whole; most starts are like the one before and need no new file."""
    with contextlib.suppress(OSError):
        if (state / SPEC).read_text() == spec:
            return
    fresh = state / f".{SPEC}"
    fresh.write_text(spec)
    os.replace(fresh, state / SPEC)


def _make_mount_points(spec: SandboxSpec, tier: str) -> None:
    """Make folders under /app that something is mounted over; links on the way are refused."""
    for each in spec.mounts:
        target = PurePosixPath(each.target)
        if target.is_relative_to("/app") and target != PurePosixPath("/app"):
            is_folder = Path(each.source).is_dir()
            _walk(spec, target.relative_to("/app").parts, is_folder, tier, each.target)


def _walk(
    spec: SandboxSpec, parts: tuple[str, ...], is_folder: bool, tier: str, whole: str
) -> None:
    at = os.open(spec.app, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts if is_folder else parts[:-1]:
            try:
                _make_folder(at, part, spec.uid if tier == "A" and spec.app_writable else -1)
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            except NotADirectoryError:
                raise Unusable(f"{whole} cannot be mounted: {part} is a link or a file.") from None
            os.close(at)
            at = below
    finally:
        os.close(at)


def _make_folder(at: int, name: str, owner: int) -> None:
    mode = os.fstat(at).st_mode & 0o7777
    try:
        os.mkdir(name, 0o755, dir_fd=at)
    except FileExistsError:
        return
    except PermissionError:  # a finished build is read-only, to an ordinary user as well
        os.fchmod(at, mode | 0o200)
        os.mkdir(name, 0o755, dir_fd=at)
        os.fchmod(at, mode)
    if owner >= 0:
        os.chown(name, owner, owner, dir_fd=at, follow_symlinks=False)


def connect_streams(spec: SandboxSpec, tier: str, stdin: int | None) -> None:
    """Lead both streams of output to the output file, and input to nothing or what was given."""
    output = os.open(spec.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if tier == "A":
        os.fchown(output, spec.uid, spec.uid)  # so that /dev/stdout can be opened by name
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing if stdin is None else stdin, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def lower(spec: SandboxSpec) -> None:
    """Stand behind the platform when memory or CPU is short."""
    score = _OOM_SCORE_LOW if spec.low_priority else _OOM_SCORE
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(score))
    if spec.low_priority:
        os.setpriority(os.PRIO_PROCESS, 0, 10)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def memory_file(content: str | bytes) -> int:
    """Return an inheritable file of memory: its content meets no disk and no argument list."""
    descriptor = os.memfd_create("sandbox", 0)
    data = content.encode() if isinstance(content, str) else content
    while data:
        data = data[os.write(descriptor, data) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _tell(report: int, said: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # the agent is gone: the status file says it all
        os.write(report, json.dumps(said).encode() + b"\n")


def _remember(spec: SandboxSpec, problem: str) -> None:
    with contextlib.suppress(OSError):
        found = read_status(Path(spec.state))
        if found and found.shim == os.getpid():
            append(Path(spec.state), problem=problem)


def _is_permanent(why: BaseException) -> bool:
    lasting = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
    return isinstance(why, (Unusable, *lasting))
