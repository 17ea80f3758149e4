"""Editions: one release at one revision, and how they share an environment while they change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from perron.contract.node import ProcessSet, VolumeMount

STARTING, SERVING, DRAINING = "starting", "serving", "draining"


@dataclass(frozen=True)
class Process:
    """One process type of a release, as its manifest has it: a set without its numbers."""

    set: ProcessSet
    stop_first: bool


@dataclass(frozen=True)
class Edition:
    """One release at one revision: starting, then serving, then draining.

    A restart is a new revision of the same release.
    """

    environment: str
    release: str
    number: int
    revision: int
    phase: str
    since: datetime

    @property
    def mark(self) -> str:
        """Return what tells this edition's instances from any other's."""
        return f"{self.number}.{self.revision}"


def sets_of(
    editions: Sequence[tuple[Edition, Mapping[str, Process]]],
    *,
    scale: Mapping[str, int],
    stopped: bool,
    volumes: Sequence[VolumeMount],
) -> list[ProcessSet]:
    """Return what should run: every edition's process types, as far as its phase allows."""
    sets: list[ProcessSet] = []
    for edition, processes in editions:
        if stopped and edition.phase != STARTING:
            continue
        newer = _newer(edition, editions)
        for name, process in processes.items():
            if not _gives_way(process, newer.get(name)):
                sets.append(_set(edition, name, process, scale.get(name, 1), volumes))
    return sets


def defaults(processes: Sequence[str], scale: Mapping[str, int]) -> dict[str, int]:
    """Return one instance for every process type that nobody has scaled yet."""
    return {name: 1 for name in processes if name not in scale}


def _newer(
    edition: Edition, editions: Sequence[tuple[Edition, Mapping[str, Process]]]
) -> dict[str, Process]:
    """Return the process types of what comes after an edition."""
    order = (DRAINING, SERVING, STARTING)
    newer: dict[str, Process] = {}
    for other, processes in editions:
        if order.index(other.phase) > order.index(edition.phase):
            newer |= processes
    return newer


def _gives_way(process: Process, successor: Process | None) -> bool:
    """Say whether this process type must be gone before its successor may start."""
    return successor is not None and (successor.stop_first or process.stop_first)


def _set(
    edition: Edition, name: str, process: Process, count: int, volumes: Sequence[VolumeMount]
) -> ProcessSet:
    waits = name == "web" and edition.phase == STARTING and not process.stop_first
    return process.set.model_copy(
        update={
            "process": name,
            "release": edition.number,
            "revision": edition.mark,
            "count": count,
            "serving": edition.phase != DRAINING and not waits,
            "stop_first": process.stop_first,
            "volumes": list(volumes),
        }
    )
