"""The HTTP door of the audit trail."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, Field

from perron import access
from perron.access import Actor, By
from perron.contract.audit import (
    AUDIT,
    HEAD,
    RESTART,
    VERIFY,
    ActorView,
    AuditEntry,
    CallerView,
    ChainView,
    FaultView,
    HeadView,
    Named,
    RestartRequest,
    VerdictView,
    VerifyRequest,
)
from perron.contract.pages import Limit, Page
from perron.kit import origins, spine, web
from perron.kit.db import UnitOfWork, reading, unit_of_work
from perron.kit.settings import Home
from perron.kit.spine import Event, Place
from perron.kit.web import Work

from . import service
from .model import AuditRead, AuditVerified, Head, Verdict, change_of
from .store import Wanted
from .store.heads import Key

router = APIRouter(tags=["audit"])
Moment = Annotated[
    AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(9000, 1, 1, tzinfo=UTC))
]
LAST = 1 << 62
NO_HEAD = VerifyRequest()
SIGNED = [Depends(access.bearer)]  # told to readers; each transaction asks for itself


@router.get(AUDIT)
def list_audit(
    work: Work,
    by: By,
    team: str | None = None,
    app: str | None = None,
    environment: str | None = None,
    actor: Annotated[
        str | None, Query(description="An id, a person's handle, or me", max_length=200)
    ] = None,
    type: Annotated[str | None, Query(description="The beginning of a type: release")] = None,
    since: Moment | None = None,
    until: Moment | None = None,
    after: str | None = None,
    limit: Limit = 100,
) -> Page[AuditEntry]:
    """List what happened, newest first: owners see their teams', administrators everything."""
    (before,) = web.page_after(after, 0)
    names = service.app_names(work)
    wanted = Wanted(
        teams=_teams(work, by, team),
        app=[id for id, name in names.items() if app in (id, name)] if app else None,
        environment=environment,
        actor=_actor(work, by, actor),
        type=type,
        since=since,
        until=until,
        before=max(0, min(before, LAST)),
    )
    found = service.list_events(work, wanted, limit=limit + 1)
    _note_read(work, wanted)
    more = web.cursor_of(found[limit - 1].position) if len(found) > limit else None
    return Page(items=_entries(work, found[:limit], names), next=more)


def _actor(work: UnitOfWork, by: Actor, named: str | None) -> str | None:
    """Return whose events are wanted: me, an id of somebody or something, or a handle."""
    if named is None or named == "me":
        return by.id if named else None
    return access.id_called(work, named) or named


@router.get(HEAD, dependencies=SIGNED)
def show_head(request: Request) -> ChainView:
    """Show the newest signed head; keep a copy elsewhere to verify against."""
    home: Home = request.app.state.home
    with reading(request.app.state.database) as work:
        access.authorize_platform(work, access.identify(request, work), "platform.read")
    head, key = service.newest_head(home), Key.find(home)
    with reading(request.app.state.database) as work:
        fault = service.standing(work, home)
    return ChainView(
        head=_head(head),
        fault=FaultView(**asdict(fault)) if fault else None,
        public_key=key.public.hex() if key else None,
    )


@router.post(VERIFY, dependencies=SIGNED)
def verify(request: Request, wanted: VerifyRequest = NO_HEAD) -> VerdictView:
    """Look at every event, its place in the chain, and every head; nobody waits for that."""
    home: Home = request.app.state.home
    database = request.app.state.database
    with reading(database) as work:
        access.authorize_platform(work, access.identify(request, work), "audit.verify")
    kept = Head(**wanted.head.model_dump()) if wanted.head else None
    with reading(database) as work:
        verdict = service.verify(work, home, kept=kept)
    first = verdict.faults[0].position if verdict.faults else None
    with unit_of_work(database) as work:
        access.identify(request, work)
        told = AuditVerified(verdict.answer, first)
        spine.record(work, told, subject=service.SUBJECT, of=Place())
    return _verdict(verdict)


@router.post(RESTART, status_code=201)
def restart(wanted: RestartRequest, work: Work, by: By, request: Request) -> HeadView:
    """Let the chain go on although events are missing: who accepted it, and why, is kept."""
    access.authorize_platform(work, by, "audit.verify")
    head = service.restart(work, request.app.state.home, why=wanted.why)
    return HeadView(**asdict(head))


def _teams(uow: UnitOfWork, by: Actor, team: str | None) -> list[str] | None:
    """Return the teams whose events may be seen; None for everything."""
    if team is None and access.is_administrator(uow, by):
        return None
    mine = access.teams_with(uow, by, "audit.read")
    if team is None:
        return mine
    found = [each for each in mine if team in (each, access.team_name(uow, each))]
    if not found:
        raise access.TeamNotFound(f"There is no team {team!r} whose trail you may see.", team=team)
    return found


def _note_read(uow: UnitOfWork, wanted: Wanted) -> None:
    if wanted.before == 0:
        teams = sorted(wanted.teams) if wanted.teams is not None else None
        spine.record_read(uow, AuditRead(teams), subject=service.SUBJECT, of=Place())


def _entries(uow: UnitOfWork, found: list[Event], apps: dict[str, str]) -> list[AuditEntry]:
    people = access.names_of(uow, {each.actor for each in found})
    callers = origins.callers_of(uow, {each.origin for each in found if each.origin})
    teams = {each.team: access.team_name(uow, each.team) for each in found if each.team}
    return [
        AuditEntry(
            position=each.position,
            id=each.id,
            at=each.time,
            recorded=each.recorded,
            type=each.type,
            actor=ActorView(id=each.actor, kind=each.actor_kind, name=people.get(each.actor)),
            from_=CallerView(**vars(callers[each.origin])) if each.origin in callers else None,
            team=Named(id=each.team, name=teams.get(each.team)) if each.team else None,
            app=Named(id=each.app, name=apps.get(each.app)) if each.app else None,
            environment=each.environment,
            subject=each.subject,
            operation=each.correlation,
            before=change_of(each.data)[0],
            after=change_of(each.data)[1],
            data=each.data,
        )
        for each in found
    ]


def _head(head: Head | None) -> HeadView | None:
    return HeadView(**asdict(head)) if head else None


def _verdict(verdict: Verdict) -> VerdictView:
    return VerdictView(
        answer=verdict.answer,  # type: ignore[arg-type]
        text=verdict.text,
        checked=verdict.checked,
        waiting=verdict.waiting,
        faults=[FaultView(**asdict(each)) for each in verdict.faults],
        head=_head(verdict.head),
    )
