"""How people and sessions are shown."""

from collections.abc import Iterable

from perron.access import store
from perron.access.model.actors import Actor
from perron.access.model.people import Person
from perron.access.model.sessions import Session
from perron.access.service import signing_in
from perron.contract.people import MeView, PersonBrief, PersonView, SessionMadeView, SessionView
from perron.kit.db import UnitOfWork


def briefs_of(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, PersonBrief]:
    """Show these people as others see them; those who were erased by id alone."""
    wanted = set(ids)
    known = store.people.these(uow, wanted)
    return {id: brief(known.get(id), id) for id in wanted}


def brief(person: Person | None, id: str) -> PersonBrief:
    """Show a person as others see them."""
    if person is None or person.erased:
        return PersonBrief(id=id, handle=None, name=None)
    return PersonBrief(id=id, handle=person.handle, name=person.name)


def me(uow: UnitOfWork, by: Actor, person: Person) -> MeView:
    """Show somebody what the platform knows of them."""
    return MeView(
        id=person.id,
        handle=person.handle or "",
        name=person.name,
        email=person.email,
        administrator=person.administrator and by.app is None,
        has_password=person.password is not None,
        teams=store.teams.roles_of_all(uow, [person.id])[person.id] if by.app is None else {},
        app=by.app,
        session=by.session,
    )


def people(uow: UnitOfWork, found: Iterable[Person]) -> list[PersonView]:
    """Show people as administrators see them."""
    known = list(found)
    ids = [each.id for each in known]
    teams, seen = store.teams.roles_of_all(uow, ids), store.people.last_seen(uow, ids)
    return [
        PersonView(
            id=each.id,
            handle=each.handle or "",
            name=each.name,
            email=each.email,
            administrator=each.administrator,
            has_password=each.password is not None,
            created=each.created,
            last_seen=seen.get(each.id),
            teams=teams[each.id],
        )
        for each in known
    ]


def session(found: Session, by: Actor) -> SessionView:
    """Show a browser somebody is signed in with."""
    return SessionView(
        id=found.id,
        created=found.created,
        last_used=found.last_used,
        expires=found.expires,
        from_=found.address,
        agent=found.agent,
        current=found.id == by.session,
    )


def opened(uow: UnitOfWork, made: tuple[Session, str]) -> SessionMadeView:
    """Show a session that was opened, with its secret and a proof for next time."""
    found, secret = made
    person = store.people.find(uow, found.person)
    return SessionMadeView(
        id=found.id,
        secret=secret,
        expires=found.expires,
        person=brief(person, found.person),
        device=signing_in.proof_of_device(uow, person) if person else "",
    )
