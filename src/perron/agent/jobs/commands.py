"""Release commands and one-off runs: a command in a build, with its volumes and configuration."""

import asyncio

from perron.agent.places import connectable
from perron.agent.sandbox import Ending, SandboxSpec
from perron.contract.node import Exit
from perron.kit.files import private_folder
from perron.kit.problems import Permanent

from . import watching
from .model import Job, Phase
from .rooms import Live, Rooms

OWN = frozenset({"HOME", "TMPDIR", "PATH"})  # the sandbox gives these


async def run(rooms: Rooms, live: Live) -> tuple[Exit, int | None]:
    """Run a job's command to its end; never twice, whatever becomes of the agent."""
    found = await watching.taken_over(rooms, live, Phase.MAIN)
    if found is None and live.job.cancelled:
        return watching.refused("cancelled"), None
    if found is None:
        spec = await asyncio.to_thread(sandbox_of, rooms, live.job)
        argv = argv_of(live.job)
        found = await watching.start(rooms, live, Phase.MAIN, spec, argv, environment_of(live.job))
    if isinstance(found, Ending):
        return watching.told(found, live), None
    return await watching.until_ended(rooms, live, found), None


def sandbox_of(rooms: Rooms, job: Job, *, die_with_parent: bool = False) -> SandboxSpec:
    """Return the sandbox of a job, mounted and limited as an instance of its build is."""
    spec, settings, limits = job.spec, rooms.settings, job.spec.limits
    build = rooms.builds.find(spec.build or "")
    if build is None:
        raise Permanent(
            f"Its build {(spec.build or '')[:12]} is gone; perron deploy --force makes it again."
        )
    volumes = rooms.volumes.mounts(spec.environment, spec.volumes)
    return SandboxSpec(
        name=job.name,
        state=str(private_folder(rooms.state(job.name, Phase.MAIN))),
        output=str(rooms.output(job.name)),
        app=str(build.app),
        view=str(rooms.builds.view(build.identity)),
        uid=rooms.places.uid_of(spec.environment),
        mounts=(*build.mounts, *volumes),
        path=build.path,
        connect=connectable(settings, spec.connect),
        memory=limits.memory or settings.instance_memory,
        cpu=limits.cpu or settings.instance_cpu or None,
        processes=limits.processes or settings.instance_processes,
        open_files=limits.open_files or settings.instance_files,
        die_with_parent=die_with_parent,
    )


def argv_of(job: Job) -> list[str]:
    """Return the command: as a person gave it, or as one line for the shell."""
    return job.spec.argv or ["sh", "-c", job.spec.command]


def environment_of(job: Job) -> dict[str, str]:
    """Return the environment of a job: its configuration, and the names that are ours."""
    spec = job.spec
    given = {name: value for name, value in spec.env.items() if name not in OWN}
    ours = {
        "PERRON_APP": spec.app_name,
        "PERRON_ENV": spec.environment_name,
        "PERRON_PROCESS": str(spec.kind),
        "PERRON_RELEASE": "" if spec.release is None else str(spec.release),
        "PERRON_BUILD": spec.build or "",
        "PERRON_URL": spec.url,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    return {**given, **{name: value for name, value in ours.items() if value}}
