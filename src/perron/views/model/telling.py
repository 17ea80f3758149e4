"""What happened to an app, in words: the end of a sentence that begins with who did it."""

from collections.abc import Callable, Mapping
from typing import Any

Data = Mapping[str, Any]


def tell(type: str, data: Data) -> str:
    """Return what an event says; its type's own words when it has no sentence here."""
    teller = TOLD.get(type)
    return teller(data) if teller else type


def _named(words: str, field: str = "name") -> Callable[[Data], str]:
    return lambda data: words.format(data.get(field, ""))


def _because(words: str) -> Callable[[Data], str]:
    def told(data: Data) -> str:
        reason = str(data.get("reason") or "").rstrip(".")
        said = words.format(data["number"])
        return f"{said}: {reason}" if reason else said

    return told


def _live(data: Data) -> str:
    number, before = data["number"], data.get("before")
    known = {"config": "put new configuration live as", "rollback": "went back, as"}
    said = known.get(str(data.get("reason")), "deployed")
    return f"{said} {number}" + (f", after {before}" if before and said == "deployed" else "")


def _scaled(data: Data) -> str:
    before, after = data.get("before", {}), data.get("after", {})
    changed = [name for name in after if before.get(name) != after[name]]
    return "scaled " + ", ".join(
        f"{name} from {before.get(name, 0)} to {after[name]}" for name in changed or after
    )


def _config(data: Data) -> str:
    given, taken = data.get("set", []), data.get("unset", [])
    parts = [f"set {_some(given)}"] if given else []
    parts += [f"unset {_some(taken)}"] if taken else []
    return " and ".join(parts) or "changed the configuration"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _switched(on: str, off: str) -> Callable[[Data], str]:
    return lambda data: on if data.get("on") else off


def _fell(data: Data) -> str:
    text = str(data.get("text") or "ended").rstrip(".")
    again = "; it is tried less often now" if data.get("crash_loop") else ""
    return f"{data['name']} of {data['release']} fell: {text}{again}"


TOLD: dict[str, Callable[[Data], str]] = {
    "perron.app.added.v1": _named("created the app {}"),
    "perron.app.renamed.v1": lambda data: (
        f"renamed the app from {data['before']} to {data['name']}"
    ),
    "perron.environment.added.v1": _named("created the environment {}"),
    "perron.environment.destroyed.v1": _named("destroyed the environment {}"),
    "perron.environment.stopped.v1": lambda data: "stopped every instance",
    "perron.environment.started.v1": lambda data: "started the instances again",
    "perron.release.live.v1": _live,
    "perron.release.failed.v1": _because("deployed {}, which failed"),
    "perron.release.cancelled.v1": _named("cancelled {}", "number"),
    "perron.release.superseded.v1": _named("asked for {}, which gave way to a newer one", "number"),
    "perron.release.rolled_back.v1": lambda data: f"asked to go back to {data['to']}",
    "perron.scale.changed.v1": _scaled,
    "perron.instances.restarted.v1": _named("restarted the instances of {}", "number"),
    "perron.instance.crashed.v1": _fell,
    "perron.instance.out_of_memory.v1": lambda data: f"{data['name']} used more memory than it may",
    "perron.config.changed.v1": _config,
    "perron.config.revealed.v1": _named("looked at the value of {}", "key"),
    "perron.domain.added.v1": _named("added the domain {}", "host"),
    "perron.domain.removed.v1": _named("removed the domain {}", "host"),
    "perron.maintenance.changed.v1": _switched(
        "showed visitors the maintenance page", "ended maintenance"
    ),
    "perron.protection.changed.v1": _switched(
        "let visitors in by password only", "let everybody in again"
    ),
    "perron.routing.changed.v1": lambda data: "changed the edge's limits",
    "perron.volume.created.v1": lambda data: (
        f"created the volume {data['name']} at {data['mount']}"
    ),
    "perron.volume.snapshotted.v1": _named("kept a copy of the volume {}"),
    "perron.volume.restored.v1": lambda data: (
        f"put the volume {data['name']} back to {data['snapshot']}"
    ),
    "perron.volume.files_read.v1": _named("downloaded the files of the volume {}"),
    "perron.volume.files_written.v1": _named("uploaded files into the volume {}"),
    "perron.volume.destroyed.v1": _named("destroyed the volume {}"),
    "perron.run.asked.v1": _named("ran {} once", "program"),
    "perron.exec.opened.v1": lambda data: f"opened {data['program']} in {data['instance']}",
}
