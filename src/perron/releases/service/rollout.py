"""The facts of a rollout: an edition begins, takes over, and the one before it goes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from perron import services
from perron.builds import Manifest
from perron.catalog import Environment
from perron.contract.node import RouterCount
from perron.kit import clock, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Happening
from perron.releases import store
from perron.releases.model.editions import DRAINING, SERVING, STARTING, Edition, defaults
from perron.releases.model.events import (
    FirstServed,
    ReleaseCancelled,
    ReleaseFailed,
    ReleaseLive,
    ReleaseSuperseded,
    RolloutCounted,
)
from perron.releases.model.release import (
    ASKED,
    CANCELLED,
    FAILED,
    LIVE,
    REPLACED,
    SUPERSEDED,
    Release,
)

from .reading import live_release
from .wishes import expect, refresh

ENDINGS: Mapping[str, Callable[[int, str], Happening]] = {
    FAILED: ReleaseFailed,
    SUPERSEDED: ReleaseSuperseded,
    CANCELLED: ReleaseCancelled,
}


def edition_of(uow: UnitOfWork, environment: str, *, phase: str) -> Edition | None:
    """Return the newest edition in a phase, if there is one."""
    found = [each for each in store.editions_of(uow, environment) if each.phase == phase]
    return found[-1] if found else None


def note_built(
    uow: UnitOfWork,
    environment: Environment,
    release: Release,
    *,
    build: str,
    manifest: dict[str, Any],
) -> None:
    """Write down what a release will run, if the team may run so much."""
    expect(uow, environment, Manifest.from_json(manifest))
    store.change(uow, release.id, build=build, manifest=manifest)


def begin(uow: UnitOfWork, environment: Environment, release: Release) -> list[str]:
    """Wish that the release's instances start beside those that serve; return what to tell."""
    manifest = Manifest.from_json(release.manifest or {})
    notes = ensure_volumes(uow, environment, manifest)
    scale = store.scale(uow, environment.id)
    store.set_scale(uow, environment.id, defaults(list(manifest.processes), scale))
    if not _editions_of_release(uow, environment, release):
        _start_edition(uow, environment, release, revision=1)
    if release.rollout_at is None:
        store.change(uow, release.id, rollout_at=clock.now())
    refresh(uow, environment, may_grow=False)
    return notes


def ensure_volumes(uow: UnitOfWork, environment: Environment, manifest: Manifest) -> list[str]:
    """Create the volumes that are named for the first time; return what to tell."""
    named = {name: (spec.mount, spec.size) for name, spec in manifest.volumes.items()}
    return services.ensure(uow, environment, named)


def begin_again(uow: UnitOfWork, environment: Environment, release: Release) -> None:
    """Wish for new instances of a release beside those that serve."""
    if edition_of(uow, environment.id, phase=STARTING) is None:
        known = _editions_of_release(uow, environment, release)
        newest = max((each.revision for each in known), default=0)
        _start_edition(uow, environment, release, revision=newest + 1)
    refresh(uow, environment)


def shift(uow: UnitOfWork, environment: Environment) -> None:
    """Wish that what starts serves from now on, and what served drains."""
    at = clock.now()
    for edition in store.editions_of(uow, environment.id):
        if edition.phase == SERVING:
            store.set_phase(uow, edition, DRAINING, at)
        elif edition.phase == STARTING:
            store.set_phase(uow, edition, SERVING, at)
        else:
            store.drop_edition(uow, edition)
    store.set_stopped(uow, environment.id, False)
    refresh(uow, environment)


def take_back(uow: UnitOfWork, environment: Environment, *, release: str | None = None) -> None:
    """Wish for what served before alone: it never noticed."""
    editions = store.editions_of(uow, environment.id)
    draining = [each for each in editions if each.phase == DRAINING]
    for edition in editions:
        replaced = edition.phase == SERVING and bool(draining)
        if edition.phase == STARTING or replaced or edition.release == release:
            store.drop_edition(uow, edition)
    for edition in draining[-1:]:
        store.set_phase(uow, edition, SERVING, clock.now())
    refresh(uow, environment)


def note_live(uow: UnitOfWork, environment: Environment, release: Release) -> None:
    """Write down that the release is live, and the one before it no more."""
    before = live_release(uow, environment.id)
    if before and before.id == release.id:
        return
    if before:
        store.change(uow, before.id, state=REPLACED)
    store.change(uow, release.id, state=LIVE, live_at=clock.now())
    went_live = ReleaseLive(
        number=release.number,
        build=release.build or "",
        source=release.source,
        reason=release.kind,
        before=before.number if before else None,
        sha=release.provenance.get("sha"),
        committed=release.provenance.get("committed"),
    )
    spine.record(uow, went_live, subject=release.id, of=environment.place)


def finish(uow: UnitOfWork, environment: Environment) -> list[Edition]:
    """Wish that what drains is there no more; return what that was."""
    drained = [e for e in store.editions_of(uow, environment.id) if e.phase == DRAINING]
    for edition in drained:
        store.drop_edition(uow, edition)
    if drained:
        refresh(uow, environment)
    return drained


def note_counts(
    uow: UnitOfWork, environment: Environment, release: Release, count: RouterCount
) -> None:
    """Write down what visitors asked during the rollout, and what they did not get."""
    store.change(uow, release.id, requests=count.requests, lost=count.lost)
    counted = RolloutCounted(release.number, count.requests, count.lost, count.gaps)
    spine.record(uow, counted, subject=release.id, of=environment.place)


def note_first_served(
    uow: UnitOfWork, environment: Environment, release: Release, at: datetime
) -> None:
    """Write down when the first visitor was served, once."""
    if release.first_served is None:
        store.change(uow, release.id, first_served=at)
        first = FirstServed(release.number)
        spine.record(uow, first, subject=release.id, of=environment.place, time=at)


def note_ended(
    uow: UnitOfWork, environment: Environment, release: Release, *, state: str, reason: str
) -> None:
    """Write down that the release will not go live, and have only what served before."""
    if release.state != ASKED:
        return
    store.change(uow, release.id, state=state, reason=reason)
    if _editions_of_release(uow, environment, release):
        take_back(uow, environment, release=release.id)
    ended = ENDINGS[state](release.number, reason)
    spine.record(uow, ended, subject=release.id, of=environment.place)


def _editions_of_release(
    uow: UnitOfWork, environment: Environment, release: Release
) -> list[Edition]:
    return [e for e in store.editions_of(uow, environment.id) if e.release == release.id]


def _start_edition(
    uow: UnitOfWork, environment: Environment, release: Release, *, revision: int
) -> None:
    store.save_edition(
        uow,
        Edition(
            environment=environment.id,
            release=release.id,
            number=release.number,
            revision=revision,
            phase=STARTING,
            since=clock.now(),
        ),
    )
