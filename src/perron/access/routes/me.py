"""``/v1/me``: who you are, and what you change about yourself."""

from fastapi import APIRouter, Request, Response

from perron.access.model.actors import Actor
from perron.access.model.people import OldPasswordWrong, Person, check_password
from perron.access.service import actors, passwords, people, rights, signing_in
from perron.contract.people import ME, MeChange, MeView
from perron.kit.db import UnitOfWork
from perron.kit.web import Work, check_match, show_tag, tag_of

from . import doors, shapes
from .doors import By

router = APIRouter()


@router.get(ME)
def show_me(work: Work, by: By, response: Response) -> MeView:
    """Say who is asking."""
    rights.authorize_platform(work, by, "me.read")
    person = actors.get_person(work, by)
    show_tag(response, _version(person))
    return shapes.me(work, by, person)


@router.patch(ME, dependencies=doors.SIGNED)
def change_me(wanted: MeChange, request: Request, response: Response) -> MeView:
    """Change your name, e-mail or password; a new password ends your other sessions."""
    hashed = _checked(wanted, request) if wanted.password is not None else None
    with doors.writing(request) as work:
        by, person = _asking(work, request)
        check_match(request, _version(person), lambda: shapes.me(work, by, person))
        people.change_me(work, person, name=wanted.name, email=wanted.email)
        if hashed:
            people.change_password(work, person, hashed, how="change", keep=by.session)
        changed = actors.get_person(work, by)
        show_tag(response, _version(changed))
        return shapes.me(work, by, changed)


def _version(person: Person) -> str:
    return tag_of(person.id, person.name, person.email)


def _checked(wanted: MeChange, request: Request) -> str:
    """Return the hash of the new password once the old one is known to be right.

    Tries are counted as those to sign in are: a stolen session guesses no quicker.
    """
    new = wanted.password or ""
    with doors.writing(request) as work:
        _by, person = _asking(work, request)
        check_password(new, person)
        tried = signing_in.begin_try(work, person.handle or person.id) if person.password else None
    if tried:
        is_right = passwords.is_right(tried.kept, wanted.old_password or "")
        with doors.writing(request) as work:
            _forgive(work, tried, is_right=is_right)
    return passwords.hashed(new)


def _forgive(work: UnitOfWork, tried: signing_in.Try, *, is_right: bool) -> None:
    if not is_right:
        raise OldPasswordWrong("The present password is another one; send it as old_password.")
    signing_in.end_try(work, tried, is_right=True)


def _asking(work: UnitOfWork, request: Request) -> tuple[Actor, Person]:
    by = doors.identify(request, work)
    rights.authorize_platform(work, by, "me.change")
    return by, actors.get_person(work, by)
