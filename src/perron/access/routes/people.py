"""``/v1/people``: who is here, for administrators; and new passwords by link."""

from fastapi import APIRouter, Request, Response

from perron.access import store
from perron.access.model.people import Person, check_password
from perron.access.service import passwords, people, rights, sessions
from perron.contract.people import (
    PEOPLE,
    PERSON,
    PERSON_RESET,
    RESET,
    RESET_PAGE,
    PersonChange,
    PersonView,
    ResetMadeView,
    ResetRequest,
    ResetView,
    SessionMadeView,
)
from perron.kit import web
from perron.kit.web import Work, check_match, show_tag, tag_of

from . import doors, shapes
from .doors import By

router = APIRouter()


@router.get(PEOPLE)
def list_people(work: Work, by: By) -> list[PersonView]:
    """List everybody, by handle; for administrators."""
    rights.authorize_platform(work, by, "person.read")
    return shapes.people(work, store.people.everyone(work))


@router.get(PERSON)
def show_person(person: str, work: Work, by: By, response: Response) -> PersonView:
    """Show one person; for administrators."""
    rights.authorize_platform(work, by, "person.read")
    found = people.find_person(work, person)
    show_tag(response, _version(found))
    return shapes.people(work, [found])[0]


@router.patch(PERSON)
def change_person(
    person: str, wanted: PersonChange, work: Work, by: By, request: Request, response: Response
) -> PersonView:
    """Make somebody an administrator, or no more; the last one stays."""
    rights.authorize_platform(work, by, "person.change")
    found = people.find_person(work, person)
    check_match(request, _version(found), lambda: shapes.people(work, [found])[0])
    people.set_administrator(work, found, on=wanted.administrator)
    changed = people.find_person(work, found.id)
    show_tag(response, _version(changed))
    return shapes.people(work, [changed])[0]


@router.delete(PERSON, status_code=204)
def erase_person(person: str, work: Work, by: By) -> None:
    """Forget somebody's name and e-mail, and let them in no more; their id stays in the events."""
    rights.authorize_platform(work, by, "person.erase")
    people.erase_person(work, people.find_person(work, person))


@router.post(PERSON_RESET, status_code=201)
def make_reset(person: str, work: Work, by: By, response: Response) -> ResetMadeView:
    """Make a page by which somebody sets a new password, once, within a day."""
    rights.authorize_platform(work, by, "person.change")
    link, code = sessions.make_reset(work, by, people.find_person(work, person))
    web.never_keep(response)
    return ResetMadeView(path=RESET_PAGE.format(code=code), expires=link.expires)


@router.get(RESET)
def show_reset(code: str, work: Work) -> ResetView:
    """Say whose password the page sets."""
    link = sessions.find_link(work, "reset", code)
    return ResetView(
        person=shapes.briefs_of(work, [link.person])[link.person], expires=link.expires
    )


@router.post(RESET, status_code=201)
def use_reset(
    code: str, wanted: ResetRequest, request: Request, response: Response
) -> SessionMadeView:
    """Set the new password; it ends every other session, and opens one."""
    with doors.reading(request) as work:
        person = people.find_person(work, sessions.find_link(work, "reset", code).person)
        check_password(wanted.password, person)
    hashed = passwords.hashed(wanted.password)
    web.never_keep(response)
    with doors.writing(request) as work:
        person = people.find_person(work, sessions.use_link(work, "reset", code).person)
        work.actor, work.actor_kind = person.id, "person"
        people.change_password(work, person, hashed, how="reset")
        return shapes.opened(work, sessions.open_session(work, person.id, how="reset"))


def _version(person: Person) -> str:
    return tag_of(person.id, person.administrator)
