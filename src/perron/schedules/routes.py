"""The HTTP door of schedules."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from perron import access, catalog
from perron.access import By
from perron.contract.pages import Limit, Page
from perron.contract.schedules import (
    CHORE_RUNS,
    CHORES,
    RUNS,
    SCHEDULE,
    SCHEDULES,
    ScheduleChange,
    ScheduleRequest,
    ScheduleRunView,
    ScheduleView,
)
from perron.kit.db import UnitOfWork
from perron.kit.web import (
    CursorRefused,
    Work,
    check_match,
    cursor_of,
    page_after,
    show_tag,
    tag_of,
)

from .model import Run, Schedule
from .service import keeping, running

router = APIRouter(tags=["schedules"])
NAMES = {"schedule": "expression", "timezone": "zone"}  # ours are the words inside the house


@router.get(SCHEDULES)
def list_schedules(app: str, environment: str, work: Work, by: By) -> Page[ScheduleView]:
    """Show what runs by the clock here, when it comes next and how it went last."""
    place = catalog.enter(work, by, app, environment, "schedule.read")
    return Page(items=_views(work, keeping.list_of(work, place)))


@router.post(SCHEDULES, status_code=201)
def add_schedule(
    app: str, environment: str, wanted: ScheduleRequest, work: Work, by: By
) -> ScheduleView:
    """Have a command run by the clock."""
    place = catalog.enter(work, by, app, environment, "schedule.change")
    told = _told(wanted.model_dump(exclude={"name"}))
    return _views(work, [keeping.add(work, place, wanted.name, **told)])[0]


@router.get(SCHEDULE)
def show_schedule(
    app: str, environment: str, schedule: str, work: Work, by: By, response: Response
) -> ScheduleView:
    """Show one schedule; the ``ETag`` names what PATCH can change."""
    place = catalog.enter(work, by, app, environment, "schedule.read")
    found = keeping.get(work, place, schedule)
    show_tag(response, tag_of(found.version))
    return _views(work, [found])[0]


@router.patch(SCHEDULE)
def change_schedule(
    app: str,
    environment: str,
    schedule: str,
    wanted: ScheduleChange,
    work: Work,
    by: By,
    request: Request,
    response: Response,
) -> ScheduleView:
    """Change a schedule, or switch it on and off."""
    place = catalog.enter(work, by, app, environment, "schedule.change")
    found = keeping.get(work, place, schedule)
    check_match(request, tag_of(found.version))
    newer = keeping.change(work, place, found, **_told(wanted.model_dump(exclude_none=True)))
    show_tag(response, tag_of(newer.version))
    return _views(work, [newer])[0]


@router.delete(SCHEDULE, status_code=204)
def remove_schedule(app: str, environment: str, schedule: str, work: Work, by: By) -> None:
    """Have a command run by the clock no more; what runs now runs to its end."""
    place = catalog.enter(work, by, app, environment, "schedule.change")
    keeping.remove(work, place, keeping.get(work, place, schedule))


@router.post(RUNS, status_code=201)
def run_schedule(app: str, environment: str, schedule: str, work: Work, by: By) -> ScheduleRunView:
    """Run a schedule's command now, whether it is on or off."""
    place = catalog.enter(work, by, app, environment, "schedule.run")
    found = keeping.get(work, place, schedule)
    return _runs(work, [running.ask(work, place, found)])[0]


@router.get(RUNS)
def list_runs(
    app: str,
    environment: str,
    schedule: str,
    work: Work,
    by: By,
    after: str | None = None,
    limit: Limit = 50,
) -> Page[ScheduleRunView]:
    """Show what became of each time, newest first; the last 200 are kept."""
    place = catalog.enter(work, by, app, environment, "schedule.read")
    return _page(work, keeping.get(work, place, schedule), after, limit)


@router.get(CHORES)
def list_chores(work: Work, by: By) -> Page[ScheduleView]:
    """Show what the platform itself does by the clock."""
    access.authorize_platform(work, by, "platform.read")
    return Page(items=_views(work, keeping.list_chores(work)))


@router.get(CHORE_RUNS)
def list_chore_runs(
    schedule: str, work: Work, by: By, after: str | None = None, limit: Limit = 50
) -> Page[ScheduleRunView]:
    """Show how the platform's own work went, newest first."""
    access.authorize_platform(work, by, "platform.read")
    return _page(work, keeping.get_chore(work, schedule), after, limit)


@router.post(CHORE_RUNS, status_code=201)
def run_chore(schedule: str, work: Work, by: By) -> ScheduleRunView:
    """Have the platform do its own work now."""
    access.authorize_platform(work, by, "platform.change")
    return _runs(work, [running.ask(work, None, keeping.get_chore(work, schedule))])[0]


def _page(
    uow: UnitOfWork, schedule: Schedule, after: str | None, limit: int
) -> Page[ScheduleRunView]:
    runs = running.history(uow, schedule, before=_before(after), limit=limit + 1)
    more = cursor_of(runs[limit - 1].fire_at.isoformat()) if len(runs) > limit else None
    return Page(items=_runs(uow, runs[:limit]), next=more)


def _before(after: str | None) -> datetime | None:
    (text,) = page_after(after, "")
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError) as why:
        raise CursorRefused("The cursor is none of ours: use the `next` of a page.") from why


def _told(given: dict[str, Any]) -> dict[str, Any]:
    return {NAMES.get(name, name): value for name, value in given.items()}


def _views(uow: UnitOfWork, schedules: list[Schedule]) -> list[ScheduleView]:
    last = running.last_runs(uow, schedules)
    shown = dict(zip(last, _runs(uow, list(last.values())), strict=True))
    return [
        ScheduleView(
            id=each.id,
            name=each.name,
            schedule=each.expression,
            timezone=each.zone,
            command=each.command,
            overlap=each.overlap,  # type: ignore[arg-type]
            timeout=each.timeout,
            enabled=each.enabled,
            origin=each.origin,
            created=each.created,
            next=each.next_at,
            last=shown.get(each.id),
        )
        for each in schedules
    ]


def _runs(uow: UnitOfWork, runs: list[Run]) -> list[ScheduleRunView]:
    people = access.names_of(uow, {each.by for each in runs})
    return [
        ScheduleRunView(
            id=each.id,
            fire_at=each.fire_at,
            state=each.state,
            by_hand=each.by_hand,
            by=each.by,
            by_name=people.get(each.by),
            release=each.release,
            started=each.started,
            finished=each.finished,
            exit_code=each.exit_code,
            text=each.text,
            job=each.job,
        )
        for each in runs
    ]
