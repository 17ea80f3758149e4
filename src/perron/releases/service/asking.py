"""Asking for a release: deploy, roll back, a changed configuration; and taking it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from perron import builds, catalog, config, operations, runtime
from perron.catalog import Environment
from perron.config import Value
from perron.kit import clock, ids, spine
from perron.kit.db import UnitOfWork
from perron.releases import store
from perron.releases.model.events import ReleaseAsked, RolledBack
from perron.releases.model.release import (
    ASKED,
    DeployRefused,
    NothingChanged,
    Release,
    is_same,
    live,
    rollout_lock,
    target_of_rollback,
)

from .reading import has_lost_build, live_release, on_their_way, url_of
from .wishes import expect

RESTART = "releases.restart"


@dataclass(frozen=True)
class Wanted:
    """What a new release is to be made of; with ``build`` nothing needs to be built."""

    kind: str
    source: str
    root: str
    provenance: dict[str, Any] = field(default_factory=dict)
    build: str | None = None
    manifest: dict[str, Any] | None = None
    rolled_back_to: int | None = None
    reason: str | None = None


def deploy(
    uow: UnitOfWork,
    environment: Environment,
    *,
    source: str,
    root: str,
    provenance: dict[str, Any],
    force: bool = False,
) -> Release:
    """Ask for a source to go live as the environment's next release.

    Raises NothingChanged when it is live already, unless that is to be so by ``force``.
    """
    builds.get_source(uow, environment.app, source)
    if not force:
        _refuse_unchanged(uow, environment, source, root)
    return ask(uow, environment, Wanted("deploy", source, root, provenance))


def deploy_release(
    uow: UnitOfWork,
    environment: Environment,
    other: Release,
    *,
    provenance: dict[str, Any],
    force: bool = False,
) -> Release:
    """Ask for what another release is made of, with the configuration of this environment."""
    if other.build is None:
        raise DeployRefused(f"Release {other.number} was never built ({other.state}).")
    if not force:
        _refuse_unchanged(uow, environment, other.source, other.root)
    told = {name: value for name, value in provenance.items() if value is not None}
    kept = dict(other.provenance)
    kept |= {name: told[name] for name in ("origin", "host") if name in told}
    return ask(uow, environment, Wanted("deploy", other.source, other.root, kept))


def roll_back(uow: UnitOfWork, environment: Environment, *, to: int | None) -> Release:
    """Ask for an earlier release's build, processes and plain configuration to be live again."""
    history = store.history(uow, environment.id)
    target = target_of_rollback(history, to)
    now = live(history)
    config.go_back(uow, environment, target.id)
    wanted = _again(target, kind="rollback", rolled_back_to=target.number)
    release = ask(uow, environment, wanted)
    back = RolledBack(release.number, target.number, now.number if now else None)
    spine.record(uow, back, subject=release.id, of=environment.place)
    return release


def change_config(
    uow: UnitOfWork,
    environment: Environment,
    *,
    set: Mapping[str, Value],
    unset: Sequence[str],
) -> Release | None:
    """Change the configuration; what is live, or on its way, is released again with it."""
    if not config.change(uow, environment, set=set, unset=unset):
        return None
    return release_again(uow, environment)


def release_again(uow: UnitOfWork, environment: Environment) -> Release | None:
    """Ask for what is live or on its way once more, with the configuration of now."""
    coming = on_their_way(uow, environment.id)
    base = coming[-1] if coming else live_release(uow, environment.id)
    if base is None or store.is_stopped(uow, environment.id):
        return None
    return ask(uow, environment, _with_todays_config(uow, environment, base))


def has_other_config(uow: UnitOfWork, environment: Environment, release: Release) -> bool:
    """Say whether the environment is told something else now than the release was."""
    return config.digest(uow, environment) != release.config


def ask(uow: UnitOfWork, environment: Environment, wanted: Wanted) -> Release:
    """Write a new release down and start its rollout; what was on its way is superseded."""
    _refuse_another_team(uow, environment)
    if wanted.manifest is not None:
        expect(uow, environment, builds.Manifest.from_json(wanted.manifest))
    number = store.newest_number(uow, environment.id) + 1
    id = ids.new("rel")
    supersede(uow, environment, f"Release {number} is newer.")
    values = config.take_snapshot(uow, environment, id)
    release = Release(
        id=id,
        environment=environment.id,
        number=number,
        config=config.digest_of(uow, values),
        config_keys=sorted(values),
        asked_at=clock.now(),
        by=uow.actor or "perron",
        **vars(wanted),
    )
    operation = operations.start(
        uow,
        "releases.deploy",
        subject=id,
        lock=rollout_lock(environment.id),
        team=environment.team,
        place=environment.place,
        correlation=uow.correlation,
        facts={"release": number, "environment": environment.id},
    )
    release = replace(release, operation=operation.id)
    store.add(uow, release)
    _record_asked(uow, environment, release)
    return release


def supersede(uow: UnitOfWork, environment: Environment, reason: str) -> None:
    """End whatever was on its way here; a release command that runs ends by itself first."""
    asked = {release.operation for release in on_their_way(uow, environment.id)}
    for operation in operations.unfinished(uow, rollout_lock(environment.id)):
        if operation.id in asked or operation.work == RESTART:
            operations.cancel(uow, operation.id, state="superseded", reason=reason)


def cancel(uow: UnitOfWork, environment: Environment) -> list[Release]:
    """Stop the releases that are on their way; what runs for them is ended."""
    open = {each.id for each in operations.unfinished(uow, rollout_lock(environment.id))}
    coming = [each for each in on_their_way(uow, environment.id) if each.operation in open]
    if not coming:
        raise DeployRefused("Nothing is on its way here: there is nothing to cancel.")
    for release in coming:
        operations.cancel(uow, release.operation, reason="Cancelled.")
    return coming


def _refuse_another_team(uow: UnitOfWork, environment: Environment) -> None:
    """Refuse where apps are not kept apart and another team has releases here already."""
    others = [each.id for each in catalog.all_environments(uow) if each.team != environment.team]
    if others and store.any_of(uow, others):
        runtime.check_several_teams(uow)


def _refuse_unchanged(uow: UnitOfWork, environment: Environment, source: str, root: str) -> None:
    """Raise NothingChanged when this is live, nothing else is on its way, and it is not stopped."""
    now = live_release(uow, environment.id)
    if now is None or on_their_way(uow, environment.id) or store.is_stopped(uow, environment.id):
        return
    if has_lost_build(uow, now):
        return  # made again from its source
    if is_same(now, source=source, root=root, config=config.digest(uow, environment)):
        raise NothingChanged(
            f"Nothing changed since release {now.number}, which is live; "
            "to release it again all the same, say force.",
            release=now.number,
            url=url_of(uow, environment),
        )


def _again(base: Release, *, kind: str, rolled_back_to: int | None = None) -> Wanted:
    return Wanted(
        kind=kind,
        source=base.source,
        root=base.root,
        provenance={**base.provenance, "commits": None, "missing": None},
        build=base.build,
        manifest=base.manifest,
        rolled_back_to=rolled_back_to,
    )


def _with_todays_config(uow: UnitOfWork, environment: Environment, base: Release) -> Wanted:
    """Build anew only when what builds see has changed."""
    wanted = _again(base, kind="deploy" if base.state == ASKED else "config")
    then, now = config.snapshot_of(uow, base.id), config.values_of(uow, environment)
    told = {name for each in (then, now) for name, value in each.items() if value.build}
    same = all(now.get(name) == then.get(name) for name in told)
    return wanted if same else replace(wanted, build=None, manifest=None)


def _record_asked(uow: UnitOfWork, environment: Environment, release: Release) -> None:
    asked = ReleaseAsked(
        number=release.number,
        kind=release.kind,
        source=release.source,
        root=release.root,
        config=release.config,
        config_keys=release.config_keys,
        provenance=release.provenance,
    )
    spine.record(uow, asked, subject=release.id, of=environment.place)
