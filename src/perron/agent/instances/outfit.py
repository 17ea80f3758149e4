"""What an instance is started with: its sandbox, its command and its environment."""

from dataclasses import dataclass

from perron.agent.places import connectable
from perron.agent.sandbox import SandboxSpec
from perron.contract.node import EnvironmentWish, ProcessSet
from perron.kit.problems import Permanent
from perron.kit.settings import Settings

from .commands import command_line
from .model import Instance
from .tools import Tools

OWN = frozenset({"HOME", "TMPDIR", "PATH"})  # the sandbox gives these


@dataclass(frozen=True)
class Outfit:
    """Everything one start needs."""

    spec: SandboxSpec
    argv: list[str]
    env: dict[str, str]


def outfit(tools: Tools, wish: EnvironmentWish, instance: Instance, made_of: ProcessSet) -> Outfit:
    """Return what to start an instance with; its folder, output and volumes are made ready."""
    build = tools.builds.find(made_of.build)
    if build is None:
        raise Permanent(
            f"its build {made_of.build[:12]} is gone; perron deploy --force makes it again"
        )
    folder, uid = tools.places.instance(instance.id), tools.places.uid_of(instance.environment)
    mounts = tools.volumes.mounts(instance.environment, made_of.volumes)
    limits, settings = made_of.limits, tools.settings
    spec = SandboxSpec(
        name=instance.name,
        state=str(folder),
        output=str(folder / "output"),
        app=str(build.app),
        view=str(tools.builds.view(build.identity)),
        uid=uid,
        mounts=(*build.mounts, *mounts),
        path=tuple(build.path),
        port=instance.port,
        connect=connectable(settings, made_of.connect),
        memory=limits.memory or settings.instance_memory,
        cpu=limits.cpu or settings.instance_cpu or None,
        processes=limits.processes or settings.instance_processes,
        open_files=limits.open_files or settings.instance_files,
    )
    env = environment_of(settings, wish, instance, made_of)
    return Outfit(spec, command_line(made_of.command), env)


def environment_of(
    settings: Settings, wish: EnvironmentWish, instance: Instance, made_of: ProcessSet
) -> dict[str, str]:
    """Return the environment of an instance; its configuration wins over none of our names."""
    given = {name: value for name, value in made_of.env.items() if name not in OWN}
    host = wish.hosts[0] if wish.hosts else "localhost"
    port = "" if settings.http_port == 80 else f":{settings.http_port}"
    ours = {
        "PERRON_APP": wish.app_name,
        "PERRON_ENV": wish.environment_name,
        "PERRON_PROCESS": instance.process,
        "PERRON_RELEASE": str(instance.release),
        "PERRON_BUILD": made_of.build,
        "PERRON_INSTANCE": instance.name,
        "PERRON_INSTANCE_ID": instance.id,
        "PERRON_URL": f"http://{host}{port}",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    if instance.port is not None:
        ours["PORT"] = str(instance.port)
    return {**given, **ours}
