"""How much of its team's quotas an environment takes."""

from collections.abc import Iterable, Mapping, Sequence

from perron.builds import Manifest
from perron.contract.node import Limits, ProcessSet
from perron.kit.settings import Settings

UNBOUNDED_CPU = 1.0  # an instance without a limit counts as one core


def footprint(sets: Sequence[ProcessSet], settings: Settings) -> dict[str, float]:
    """Return what these sets take; of a process type that is replaced, the larger side counts."""
    largest: dict[str, dict[str, float]] = {}
    for each in sets:
        amounts = _of(each.count, each.limits, settings)
        known = largest.get(each.process, {})
        largest[each.process] = {
            name: max(amount, known.get(name, 0.0)) for name, amount in amounts.items()
        }
    return _sum(largest.values())


def footprint_of(
    manifest: Manifest, scale: Mapping[str, int], settings: Settings
) -> dict[str, float]:
    """Return what a release will take at this scale; of a new process type, one instance."""
    return _sum(
        _of(scale.get(name, 1), spec.limits, settings) for name, spec in manifest.processes.items()
    )


def _of(count: int, limits: Limits, settings: Settings) -> dict[str, float]:
    cpu = limits.cpu or settings.instance_cpu or UNBOUNDED_CPU
    memory = limits.memory or settings.instance_memory
    return {"instances": float(count), "memory": float(count * memory), "cpu": count * cpu}


def _sum(all_amounts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total = {"instances": 0.0, "memory": 0.0, "cpu": 0.0}
    for amounts in all_amounts:
        for name, amount in amounts.items():
            total[name] += amount
    return total
