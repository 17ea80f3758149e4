"""What administrators look at: the doctor's findings over the API, disk, backups, work."""

from datetime import datetime, timedelta
from pathlib import Path
from shutil import disk_usage
from threading import Lock
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request

from perron import access, catalog, operations
from perron.access import By
from perron.contract.examining import (
    DOCTOR,
    WORK,
    BackupsView,
    DiskView,
    DoctorView,
    FindingView,
    RoomView,
    WorkView,
)
from perron.contract.pages import Page
from perron.kit import clock
from perron.kit.db import UnitOfWork
from perron.kit.settings import Home, Settings
from perron.kit.web import Work
from perron.operations import Doing

from . import freshness, rooms

if TYPE_CHECKING:
    from .doctor import Finding

FRESH = timedelta(seconds=15)  # looking asks every process; more often would tell nothing new

router = APIRouter(tags=["platform"])
_looked: dict[Path, tuple[datetime, "list[Finding]"]] = {}
_looking = Lock()


@router.get(DOCTOR)
def examine(request: Request, work: Work, by: By) -> DoctorView:
    """Say what the machine can and cannot do, how full its disk is, how old its backups are."""
    access.authorize_platform(work, by, "platform.examine")
    home: Home = request.app.state.home
    settings: Settings = request.app.state.settings
    at, found = _findings(home, settings)
    return DoctorView(
        at=at,
        findings=[FindingView.model_validate(vars(each)) for each in found],
        disk=_disk(home, settings),
        backups=BackupsView(
            newest=freshness.newest_at(home),
            whole=len(list(home.backups.glob("whole-*"))),
            states=len(list(home.backups.glob("perron-*.db"))),
        ),
    )


@router.get(WORK)
def list_work(work: Work, by: By) -> Page[WorkView]:
    """List what the platform does just now for anybody, newest first: builds, deploys, ends."""
    access.authorize_platform(work, by, "platform.examine")
    return Page(items=_works(work, operations.under_way(work)))


def _findings(home: Home, settings: Settings) -> tuple[datetime, "list[Finding]"]:
    from . import doctor  # half the agent comes with it: only for who asks

    with _looking:
        known = _looked.get(home.path)
        if known is None or clock.now() - known[0] > FRESH:
            known = _looked[home.path] = (clock.now(), doctor.findings(home, settings))
        return known


def _disk(home: Home, settings: Settings) -> DiskView:
    usage, known = disk_usage(home.path), rooms.measured(home)
    parts = sorted(known.parts.items(), key=lambda each: -each[1]) if known else None
    return DiskView(
        folder=str(home.path),
        total=usage.total,
        free=usage.free,
        reserve=settings.disk_reserve,
        parts=None if parts is None else [RoomView(part=name, bytes=size) for name, size in parts],
        measured=known.at if known else None,
    )


def _works(uow: UnitOfWork, found: list[Doing]) -> list[WorkView]:
    apps = catalog.apps_with(uow, [each.operation.app for each in found if each.operation.app])
    known = catalog.environments_of_all(uow, apps.values()).values()
    places = {each.id: each.name for environments in known for each in environments}
    people = access.names_of(uow, {each.operation.actor for each in found})
    teams = {each.operation.team for each in found}
    called = {id: team.name for id in teams if (team := access.find_team(uow, id))}
    return [
        WorkView(
            operation=each.operation.id,
            work=each.operation.work,
            state="running" if each.operation.state == "running" else "waiting",
            step=each.step,
            text=each.text,
            asked=each.operation.asked_at,
            started=each.operation.started_at,
            by=each.operation.actor,
            by_name=people.get(each.operation.actor),
            team=called.get(each.operation.team),
            app=apps[each.operation.app].name if each.operation.app in apps else None,
            environment=places.get(each.operation.environment or ""),
        )
        for each in found
    ]
