"""What can be done with people."""

import os
from collections.abc import Iterable

from perron.access import store
from perron.access.model.actors import Actor
from perron.access.model.people import (
    AdministratorChanged,
    HandleTaken,
    LastAdministrator,
    PasswordChanged,
    Person,
    PersonAdded,
    PersonChanged,
    PersonErased,
    PersonNotFound,
    handle_for,
)
from perron.kit import clock, ids, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Place

from . import sessions, teams, tokens


def bootstrap(uow: UnitOfWork, *, name: str | None = None) -> str:
    """Return a token of the first administrator, who is let in with team ``main`` if need be."""
    administrator = store.people.first_administrator(uow)
    if administrator is None:
        name = name or os.environ.get("USER") or os.environ.get("LOGNAME") or "administrator"
        actor = add_person(uow, name, administrator=True)
        teams.join(uow, actor, team=teams.add_team(uow, "main"), role="owner")
    else:
        actor = Actor(administrator.id)
    return tokens.issue_token(uow, actor, name="this machine")


def add_person(
    uow: UnitOfWork,
    name: str,
    *,
    handle: str | None = None,
    password: str | None = None,
    administrator: bool = False,
) -> Actor:
    """Let a person in; ``password`` is a hash. Without a handle they get one of their name."""
    id, taken = ids.new("per"), store.people.handles(uow)
    if handle in taken:
        raise HandleTaken(f"The handle {handle!r} is taken; choose another one.", handle=handle)
    handle = handle or handle_for(name, taken)
    person = Person(id, name, administrator, clock.now(), handle, password=password)
    store.keep(uow, store.people.people, **vars(person))
    spine.record(uow, PersonAdded(administrator), subject=id, of=Place())
    return Actor(id)


def id_called(uow: UnitOfWork, handle_or_id: str) -> str | None:
    """Return the id of the person called so; None where nobody is."""
    person = store.people.find(uow, handle_or_id)
    return person.id if person else None


def find_person(uow: UnitOfWork, handle_or_id: str) -> Person:
    """Return the person, or raise PersonNotFound."""
    person = store.people.find(uow, handle_or_id)
    if person is None or person.erased:
        raise PersonNotFound(
            f"There is nobody called {handle_or_id!r}; list all with: perron people.",
            person=handle_or_id,
        )
    return person


def change_me(uow: UnitOfWork, person: Person, *, name: str | None, email: str | None) -> None:
    """Change what a person is called, or their address; an empty address is none."""
    new = {"name": name, "email": email}
    changed = {key: value or None for key, value in new.items() if value is not None}
    if changed:
        store.people.change(uow, person.id, **changed)
        spine.record(uow, PersonChanged(sorted(changed)), subject=person.id, of=Place())


def change_password(
    uow: UnitOfWork, person: Person, hashed: str, *, how: str, keep: str | None = None
) -> None:
    """Give a person another password, and end their sessions but the one to ``keep``."""
    store.people.change(uow, person.id, password=hashed)
    store.sessions.drop_links(uow, person.id)
    spine.record(uow, PasswordChanged(how), subject=person.id, of=Place())
    sessions.end_all(uow, person.id, why="password", keep=keep)


def set_administrator(uow: UnitOfWork, person: Person, *, on: bool) -> None:
    """Let a person do everything, or no more; the last one who may stays."""
    if person.administrator == on:
        return
    if not on:
        _refuse_last_administrator(uow, person)
    store.people.change(uow, person.id, administrator=on)
    spine.record(uow, AdministratorChanged(person.administrator, on), subject=person.id, of=Place())


def erase_person(uow: UnitOfWork, person: Person) -> None:
    """Forget name, e-mail and addresses of a person and let them in no more.

    Their id stays in the events; an address others came from too stays with these.
    """
    if person.administrator:
        _refuse_last_administrator(uow, person)
    mine = [team for team, _role in store.teams.roles_of(uow, person.id)]
    for team in mine:
        teams.refuse_last_owner(uow, person.id, team)
    for team in mine:
        teams.leave(uow, Actor(person.id), team=team.id)
    tokens.revoke_all(uow, person.id)
    sessions.end_all(uow, person.id, why="erased")
    store.sessions.drop_links(uow, person.id)
    store.sessions.forget_places(uow, person.id)
    nothing = {"name": "", "handle": None, "email": None, "password": None}
    store.people.change(uow, person.id, **nothing, administrator=False, erased=clock.now())
    spine.record(uow, PersonErased(), subject=person.id, of=Place())
    spine.forget_whereabouts(uow, person.id)


def names_of(uow: UnitOfWork, people: Iterable[str]) -> dict[str, str]:
    """Return what people are called, by id; who is not known any more is left out."""
    return store.people.names_of(uow, people)


def name_of(uow: UnitOfWork, person: str) -> str:
    """Return what a person is called; the id when nobody knows any more."""
    return store.people.names_of(uow, [person]).get(person, person)


def _refuse_last_administrator(uow: UnitOfWork, person: Person) -> None:
    if store.people.count_administrators(uow) == 1:
        raise LastAdministrator(
            "This is the last administrator: make somebody else one first, with "
            "perron people promote.",
            person=person.id,
        )
