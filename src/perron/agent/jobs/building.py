"""Build jobs: a source becomes a build, dependencies first, each phase in one sandbox."""

import asyncio
import os
import posixpath
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from perron.agent import builds
from perron.agent.builds import layer_target, tools
from perron.agent.sandbox import MIB, Ending, Mount, SandboxSpec
from perron.contract.node import BuildPlan, BuildStep, Exit
from perron.kit import clock
from perron.kit.files import check_room, private_folder
from perron.kit.problems import Permanent

from . import scripts, watching
from .fetching import reach
from .model import Phase
from .rooms import Live, Rooms

PROCESSES = 1024
OPEN_FILES = 16_384
SCRATCH = 1024 * MIB  # of /tmp and HOME each, in memory: bounded by the build's memory too
GROWTH = 10  # a source unpacked, with its dependencies, is about so many times its archive


async def build(rooms: Rooms, live: Live) -> tuple[Exit, int | None]:
    """Make the build a job asks for; what an earlier agent finished is not done again."""
    plan, output = _asked(live)
    began = time.monotonic()
    if found := await asyncio.to_thread(rooms.builds.find, output):
        rooms.builds.note_found(output)
        return _done("built already"), found.size
    failed = await _layer(rooms, live, plan)
    failed = failed or await _main(rooms, live, plan)
    if failed:
        return failed, None
    app = _app(rooms, live, Phase.MAIN, plan)
    made = await asyncio.to_thread(rooms.builds.keep, output, plan, app)
    _say(rooms, live, f"Built: {made.size / 1e6:.1f} MB in {time.monotonic() - began:.1f} s")
    return _done("built"), made.size


def clear(rooms: Rooms, live: Live) -> None:
    """Remove what the phases worked on: it may be what fills the disk."""
    for phase in (Phase.LAYER, Phase.MAIN):
        builds.remove(_bench(rooms, live, phase))


def sent_source(rooms: Rooms, digest: str) -> Path:
    """Return where the archive of a source is that the server sent."""
    return rooms.home.node / "sources" / Path(digest).name


def step_of(rooms: Rooms, live: Live) -> str:
    """Return the title of the step that runs now."""
    plan = live.job.spec.plan
    if plan is None or live.job.phase is Phase.READY:
        return ""
    steps = plan.steps if live.job.phase is Phase.MAIN else plan.layer.steps if plan.layer else []
    try:
        text = (_bench(rooms, live, live.job.phase) / "step").read_text()[:20]
    except (OSError, UnicodeDecodeError):
        return live.job.step
    return scripts.title_of(text, steps)


async def _layer(rooms: Rooms, live: Live, plan: BuildPlan) -> Exit | None:
    """Make the dependencies unless they are there; two builds that need the same make it once."""
    layer = plan.layer
    if layer is None:
        return None
    async with rooms.layers.setdefault(layer.key, asyncio.Lock()):
        if await asyncio.to_thread(rooms.builds.layer, layer.key):
            if live.job.phase is Phase.READY:
                _say(rooms, live, "Dependencies did not change: reused")
            return None
        failed = await _phase(rooms, live, Phase.LAYER, plan, layer.steps)
        if failed:
            return failed
        folder = _app(rooms, live, Phase.LAYER, plan) / layer.folder
        await asyncio.to_thread(rooms.builds.keep_layer, layer.key, folder)
        await asyncio.to_thread(builds.remove, _bench(rooms, live, Phase.LAYER))
    return None


async def _main(rooms: Rooms, live: Live, plan: BuildPlan) -> Exit | None:
    if plan.steps or live.job.phase is Phase.MAIN:
        return await _phase(rooms, live, Phase.MAIN, plan, plan.steps)
    if live.job.cancelled:
        return watching.refused("cancelled")
    await asyncio.to_thread(_prepare, rooms, live, Phase.MAIN, plan, [])
    return None


async def _phase(
    rooms: Rooms, live: Live, phase: Phase, plan: BuildPlan, steps: Sequence[BuildStep]
) -> Exit | None:
    """Do the steps of one phase; None when they went well."""
    found = await watching.taken_over(rooms, live, phase)
    if isinstance(found, Ending) and found.code is None and not found.out_of_memory:
        found = None  # the machine went down under it: once more from the start
    if live.job.cancelled and found is None:
        return watching.refused("cancelled")
    if found is None:
        await asyncio.to_thread(_prepare, rooms, live, phase, plan, steps)
        spec, env = _sandbox(rooms, live, phase, plan)
        found = await watching.start(rooms, live, phase, spec, scripts.argv(), env)
    if isinstance(found, Ending):
        exit_ = watching.told(found, live)
    else:
        work = _bench(rooms, live, phase)
        exit_ = await watching.until_ended(rooms, live, found, work=work)
    if exit_.code == 0:
        return None
    live.job = replace(live.job, step=step_of(rooms, live))  # written down with the end
    return exit_


def _prepare(
    rooms: Rooms, live: Live, phase: Phase, plan: BuildPlan, steps: Sequence[BuildStep]
) -> None:
    """Lay out a fresh copy of the source, the scripts, the cache and the state folder."""
    bench, uid = _bench(rooms, live, phase), _uid(rooms, live)
    builds.remove(bench)
    builds.remove(rooms.state(live.job.name, phase))
    archive = _source(rooms, live)
    check_room(
        rooms.home.node, archive.stat().st_size * GROWTH, reserve=rooms.settings.disk_reserve
    )
    builds.unpack(archive, private_folder(bench) / "source")
    app = _app(rooms, live, phase, plan)
    if not app.is_dir():
        raise Permanent(f"The source has no folder {plan.root!r}; see root in perron.toml.")
    layer = plan.layer
    if phase is Phase.MAIN and layer and not layer.share:
        made = rooms.builds.layer(layer.key)
        if made is None:
            raise Permanent("The dependencies were removed while they were needed; deploy again.")
        builds.copy(made, app / layer.folder)
    builds.hand_over(app, uid)
    scripts.write(bench / "scripts", steps)
    for path, make in ((bench / "step", Path.touch), (_cache(rooms, live), private_folder)):
        _give(path, make, uid)
    private_folder(rooms.state(live.job.name, phase))


def _sandbox(
    rooms: Rooms, live: Live, phase: Phase, plan: BuildPlan
) -> tuple[SandboxSpec, dict[str, str]]:
    name, spec, settings = live.job.name, live.job.spec, rooms.settings
    bench, fetch = _bench(rooms, live, phase), reach(settings.fetch, spec.fetch)
    mounts = [
        Mount(str(bench / "scripts"), scripts.SEEN_AT),
        Mount(str(bench / "step"), scripts.STEP_AT, writable=True),
        Mount(str(_cache(rooms, live)), "/cache", writable=True),
        *tools(plan),
        *fetch.mounts,
    ]
    if phase is Phase.MAIN and plan.layer and plan.layer.share:
        mounts.append(Mount(str(rooms.builds.layer(plan.layer.key)), layer_target(plan)))
    limits = spec.limits
    made = SandboxSpec(
        name=name,
        state=str(rooms.state(name, phase)),
        output=str(rooms.output(name)),
        app=str(_app(rooms, live, phase, plan)),
        view=str(rooms.builds.view(_asked(live)[1])) if phase is Phase.MAIN else "",
        uid=_uid(rooms, live),
        app_writable=True,
        mounts=tuple(mounts),
        path=tuple(plan.path),
        connect=tuple(sorted(fetch.ports - set(settings.instance_ports))),
        memory=limits.memory or settings.build_memory,
        cpu=limits.cpu,
        processes=limits.processes or PROCESSES,
        open_files=limits.open_files or OPEN_FILES,
        tmp_size=SCRATCH,
        home_size=SCRATCH,
        low_priority=True,
    )
    return made, {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **fetch.env, **spec.env}


def _asked(live: Live) -> tuple[BuildPlan, str]:
    plan, output = live.job.spec.plan, live.job.spec.output
    if plan is None or output is None:
        raise Permanent("A build needs a plan and a name for its output.")
    return plan, output


def _bench(rooms: Rooms, live: Live, phase: Phase) -> Path:
    """Return the folder in which a phase works; its bound on the disk counts this."""
    return rooms.folder(live.job.name) / f"work-{phase}"


def _app(rooms: Rooms, live: Live, phase: Phase, plan: BuildPlan) -> Path:
    root = posixpath.normpath(plan.root)
    if posixpath.isabs(root) or root.split("/")[0] == "..":
        raise Permanent(f"{plan.root!r} leads out of the source; see root in perron.toml.")
    path = _bench(rooms, live, phase) / "source"
    for part in Path(root).parts:
        path = path / part
        if path.is_symlink():
            raise Permanent(f"{plan.root!r} is a link; root in perron.toml must be a folder.")
    return path


def _source(rooms: Rooms, live: Live) -> Path:
    digest = live.job.spec.source or ""
    sent, kept = sent_source(rooms, digest), rooms.home.sources / f"{digest}.tar.gz"
    for path in (sent, kept):
        if digest and "/" not in digest and path.is_file():
            return path
    raise Permanent(f"The source {digest[:12]} is not on this node; deploy again.")


def _uid(rooms: Rooms, live: Live) -> int:
    """All builds of a team are one user, because they share the team's cache."""
    return rooms.places.uid_of(f"builds:{live.job.spec.team}")


def _cache(rooms: Rooms, live: Live) -> Path:
    return private_folder(rooms.home.node / "caches") / live.job.spec.team


def _give(path: Path, make: Callable[[Path], object], uid: int) -> None:
    make(path)
    if os.geteuid() == 0 and path.stat().st_uid != uid:
        os.chown(path, uid, uid)


def _say(rooms: Rooms, live: Live, text: str) -> None:
    """Write a line of ours into the build log, between those of the steps."""
    with rooms.output(live.job.name).open("ab") as file:
        file.write(f"{scripts.headline(text)}\n".encode())


def _done(text: str) -> Exit:
    return Exit(at=clock.now(), code=0, text=text)
