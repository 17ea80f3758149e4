"""Schedules: added, changed and removed, by people or by what a release says."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from perron.builds import CronSpec
from perron.catalog import Environment
from perron.kit import clock, ids, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Happening, Place
from perron.schedules import store
from perron.schedules.model import (
    API,
    FILE,
    MOST,
    PLATFORM,
    Schedule,
    ScheduleAdded,
    ScheduleChanged,
    ScheduleInFile,
    ScheduleNotFound,
    ScheduleRemoved,
    ScheduleTaken,
    changed,
    check,
    next_of,
)


def list_of(uow: UnitOfWork, environment: Environment) -> list[Schedule]:
    """Return the environment's schedules, by name."""
    return store.of(uow, environment.id)


def list_chores(uow: UnitOfWork) -> list[Schedule]:
    """Return what the platform itself does by the clock, by name."""
    return store.of(uow, PLATFORM)


def get_chore(uow: UnitOfWork, name: str) -> Schedule:
    """Return a chore of the platform, or raise ScheduleNotFound."""
    for each in store.of(uow, PLATFORM):
        if each.name == name:
            return each
    raise ScheduleNotFound(f"The platform has no schedule {name[:60]!r}: perron cron --platform")


def get(uow: UnitOfWork, environment: Environment, name_or_id: str) -> Schedule:
    """Return a schedule, or raise ScheduleNotFound."""
    for each in store.of(uow, environment.id):
        if name_or_id in (each.name, each.id):
            return each
    raise ScheduleNotFound(
        f"There is no schedule {name_or_id[:60]!r} here; perron cron lists them."
    )


def add(uow: UnitOfWork, environment: Environment, name: str, **told: Any) -> Schedule:
    """Have a command run by the clock from now on."""
    known = store.of(uow, environment.id)
    if any(each.name == name for each in known):
        raise ScheduleTaken(f"There is a schedule {name!r} here already: change it, or remove it.")
    if len(known) >= MOST:
        raise ScheduleTaken(f"An environment has at most {MOST} schedules; remove one.")
    return _add(uow, environment, name, origin=API, **told)


def change(uow: UnitOfWork, environment: Environment, schedule: Schedule, **told: Any) -> Schedule:
    """Let a schedule say something else; one of perron.toml can only be switched on and off."""
    if schedule.origin == FILE and told.keys() - {"enabled"}:
        raise ScheduleInFile(
            f"{schedule.name!r} is written in perron.toml: change it there and deploy; "
            "here it can be enabled and disabled."
        )
    return _change(uow, environment, schedule, **told)


def remove(uow: UnitOfWork, environment: Environment, schedule: Schedule) -> None:
    """Have a command run by the clock no more; what runs now runs to its end."""
    if schedule.origin == FILE:
        raise ScheduleInFile(
            f"{schedule.name!r} is written in perron.toml: take it out there and deploy, or "
            f"disable it: perron cron disable {schedule.name}"
        )
    _remove(uow, environment, schedule)


def follow_file(uow: UnitOfWork, environment: Environment, named: Mapping[str, CronSpec]) -> None:
    """Have exactly these schedules of perron.toml; those that people added stay.

    What is in the file wins over one of the same name; switched off stays switched off.
    """
    known = {each.name: each for each in store.of(uow, environment.id)}
    for name, spec in named.items():
        told = _told(spec)
        if name not in known:
            _add(uow, environment, name, origin=FILE, enabled=True, **told)
        else:
            _change(uow, environment, known[name], origin=FILE, **told)
    for name, schedule in known.items():
        if schedule.origin == FILE and name not in named:
            _remove(uow, environment, schedule)


def forget(uow: UnitOfWork, environment: str) -> None:
    """Forget every schedule of an environment that is gone, with its runs."""
    for schedule in store.of(uow, environment):
        store.forget_runs(uow, schedule.id)
        store.drop(uow, schedule.id)


def record(uow: UnitOfWork, schedule: Schedule, what: Happening, place: Place) -> None:
    """Write down what happened to a schedule."""
    spine.record(uow, what, subject=schedule.id, of=place)


def _told(spec: CronSpec) -> dict[str, Any]:
    return {
        "expression": spec.schedule,
        "zone": spec.timezone,
        "command": spec.command,
        "overlap": spec.overlap,
        "timeout": spec.timeout,
    }


def _add(
    uow: UnitOfWork, environment: Environment, name: str, *, origin: str, **told: Any
) -> Schedule:
    now = clock.now()
    by = uow.actor or "perron"
    made = Schedule(
        ids.new("cron"), environment.id, name, origin=origin, created=now, by=by, next_at=None,
        **told,
    )  # fmt: skip
    check(made)
    made = replace(made, next_at=next_of(made, now))
    store.save(uow, made)
    record(uow, made, ScheduleAdded(name, made.told, origin), environment.place)
    return made


def _change(uow: UnitOfWork, environment: Environment, schedule: Schedule, **told: Any) -> Schedule:
    newer = changed(schedule, clock.now(), **told)
    if newer == schedule:
        return schedule
    store.save(uow, newer)
    names = [name for name in newer.told if newer.told[name] != schedule.told[name]]
    if names:
        before, after = ({name: each.told[name] for name in names} for each in (schedule, newer))
        record(uow, newer, ScheduleChanged(newer.name, before, after), environment.place)
    return newer


def _remove(uow: UnitOfWork, environment: Environment, schedule: Schedule) -> None:
    store.drop(uow, schedule.id)
    record(uow, schedule, ScheduleRemoved(schedule.name), environment.place)
