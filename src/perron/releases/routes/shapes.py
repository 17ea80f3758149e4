"""Turns what this room knows into the shapes that cross the line."""

from datetime import datetime
from typing import Any

from perron import access
from perron.catalog import Environment
from perron.config import Difference
from perron.contract.node import EnvironmentReport, InstanceReport
from perron.contract.releases import (
    Commit,
    DiffView,
    InstanceView,
    Provenance,
    ReleaseBrief,
    ReleaseView,
)
from perron.kit.db import UnitOfWork
from perron.operations import Operation
from perron.releases.model.release import Changes, Release
from perron.releases.service import reading
from perron.runtime import Wish


def view(uow: UnitOfWork, environment: Environment, release: Release) -> ReleaseView:
    """Show everything about a release."""
    return views(uow, environment, [release])[0]


def views(uow: UnitOfWork, environment: Environment, releases: list[Release]) -> list[ReleaseView]:
    """Show everything about several releases."""
    names = access.names_of(uow, {release.by for release in releases})
    url = reading.url_of(uow, environment)
    return [_view(release, names, url) for release in releases]


def _view(release: Release, names: dict[str, str], url: str) -> ReleaseView:
    return ReleaseView(
        **_brief(release, names),
        id=release.id,
        operation=release.operation,
        kind=release.kind,
        build=release.build,
        source=release.source,
        config=release.config,
        config_keys=release.config_keys,
        processes=release.processes,
        provenance=Provenance(**release.provenance),
        rolled_back_to=release.rolled_back_to,
        reason=release.reason,
        requests=release.requests,
        lost=release.lost,
        url=url,
    )


def brief(release: Release, names: dict[str, str]) -> ReleaseBrief:
    """Show a release in one line."""
    return ReleaseBrief(**_brief(release, names))


def diff(before: int, after: int, what: tuple[Changes, Difference, Any]) -> DiffView:
    """Show what differs between two releases."""
    changes, told, commits = what
    return DiffView(
        before=before,
        after=after,
        build=changes.build,
        processes=changes.processes,
        config_added=told.added,
        config_removed=told.removed,
        config_changed=told.changed,
        commits=None if commits is None else [Commit(**each) for each in commits],
        settings=changes.settings,
    )


def instances(report: EnvironmentReport, wish: Wish | None) -> list[InstanceView]:
    """Show the instances of an environment, by process type, release and index."""
    limits = {
        each.revision + each.process: each.limits.memory
        for each in (wish.wish.sets if wish else ())
    }
    ordered = sorted(report.instances, key=lambda each: (each.process, each.release, each.name))
    return [_instance(each, limits.get(each.revision + each.process)) for each in ordered]


def operation_id(operation: Operation | None) -> str | None:
    """Return how to follow an operation, if there is one."""
    return operation.id if operation else None


def _instance(seen: InstanceReport, memory_limit: int | None) -> InstanceView:
    ended: datetime | None = seen.last_exit.at if seen.last_exit else None
    return InstanceView(
        id=seen.id,
        name=seen.name,
        process=seen.process,
        release=seen.release,
        state=seen.state,
        since=seen.since,
        started=seen.started,
        restarts=seen.restarts,
        last_exit=seen.last_exit.text if seen.last_exit else None,
        last_exit_at=ended,
        in_rotation=seen.in_rotation,
        memory=seen.memory,
        memory_limit=memory_limit,
        cpu=seen.cpu,
        message=seen.message,
        limits=seen.limits,
    )


def _brief(release: Release, names: dict[str, str]) -> dict[str, Any]:
    return {
        "number": release.number,
        "state": release.state,
        "asked": release.asked_at,
        "live": release.live_at,
        "by": release.by,
        "by_name": names.get(release.by, release.by),
    }
