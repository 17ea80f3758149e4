"""Where teams, memberships and invitations are kept."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, ForeignKey, String, Table, bindparam, func, select

from perron.access.model.teams import Invitation, Member, Team
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.questions import Question, among, columns_of
from perron.kit.tables import metadata

from .rows import many, one

teams = Table(
    "team",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("created", UtcDateTime, nullable=False),
)
members = Table(
    "member",
    metadata,
    Column("person", ForeignKey("person.id"), primary_key=True),
    Column("team", ForeignKey("team.id"), primary_key=True),
    Column("role", String, nullable=False),
    Column("employer", String),
    Column("joined", UtcDateTime, nullable=False),
)
invitations = Table(
    "invitation",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("team", ForeignKey("team.id"), nullable=False, index=True),
    Column("role", String, nullable=False),
    Column("employer", String),
    Column("note", String),
    Column("by", String, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("used", UtcDateTime),
    Column("used_by", String),
    Column("revoked", UtcDateTime),
)
_INVITATION = [each for each in invitations.c if each.name != "digest"]
_TEAM = select(*columns_of(Team, teams))
_NAMED = Question(
    _TEAM.where((teams.c.id == bindparam("named")) | (teams.c.name == bindparam("named")))
)
_EVERYONE = Question(_TEAM.order_by(teams.c.created, teams.c.id))
_NAMES = Question(select(teams.c.id, teams.c.name).where(among(teams.c.id, "ids")))
_ROLE = Question(
    select(members.c.role).where(
        members.c.person == bindparam("person"), members.c.team == bindparam("team")
    )
)
_ROLES = Question(
    _TEAM.add_columns(members.c.role)
    .join(members, members.c.team == teams.c.id)
    .where(members.c.person == bindparam("person"))
    .order_by(teams.c.id)
)


def find(uow: UnitOfWork, name_or_id: str) -> Team | None:
    """Return the team by that name or id, if there is one."""
    return _NAMED.noun(uow, Team, named=name_or_id)


def everyone(uow: UnitOfWork) -> list[Team]:
    """Return every team, oldest first."""
    return _EVERYONE.nouns(uow, Team)


def names_of(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, str]:
    """Return what the teams with these ids are called."""
    return dict(_NAMES.rows(uow, ids=set(ids)))


def rename(uow: UnitOfWork, id: str, name: str) -> None:
    """Change what the team is called."""
    uow.connection.execute(teams.update().where(teams.c.id == id).values(name=name))


def remove(uow: UnitOfWork, id: str) -> None:
    """Forget a team, who was in it and whom it invited."""
    for table in (members, invitations):
        uow.connection.execute(table.delete().where(table.c.team == id))
    uow.connection.execute(teams.delete().where(teams.c.id == id))


def role_of(uow: UnitOfWork, person: str, team: str) -> str | None:
    """Return the person's role in the team, if there is one."""
    found: str | None = _ROLE.value(uow, person=person, team=team)
    return found


def roles_of(uow: UnitOfWork, person: str) -> list[tuple[Team, str]]:
    """Return every team the person is in, with their role there."""
    return [(Team(*team), role) for *team, role in _ROLES.rows(uow, person=person)]


def roles_of_all(uow: UnitOfWork, people: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the roles of many people by the names of their teams."""
    wanted = set(people)
    query = select(members.c.person, teams.c.name, members.c.role).join(teams)
    found: dict[str, dict[str, str]] = {person: {} for person in wanted}
    for row in uow.connection.execute(query.where(members.c.person.in_(wanted))):
        found[row.person][row.name] = row.role
    return found


def member(uow: UnitOfWork, person: str, team: str) -> Member | None:
    """Return somebody's membership, if there is one."""
    this = (members.c.person == person) & (members.c.team == team)
    return one(uow, Member, select(members).where(this))


def members_of(uow: UnitOfWork, team: str) -> list[Member]:
    """Return who is in the team, the longest first."""
    query = select(members).where(members.c.team == team)
    return many(uow, Member, query.order_by(members.c.joined, members.c.person))


def sizes(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, int]:
    """Return how many people are in these teams; empty ones are left out."""
    query = select(members.c.team, func.count().label("size")).group_by(members.c.team)
    rows = uow.connection.execute(query.where(members.c.team.in_(set(ids))))
    return {row.team: row.size for row in rows}


def change_member(uow: UnitOfWork, person: str, team: str, **values: Any) -> None:
    """Change somebody's role or employer."""
    this = (members.c.person == person) & (members.c.team == team)
    uow.connection.execute(members.update().where(this).values(**values))


def leave(uow: UnitOfWork, person: str, team: str) -> None:
    """End a membership."""
    this = (members.c.person == person) & (members.c.team == team)
    uow.connection.execute(members.delete().where(this))


def invitation_with(uow: UnitOfWork, digest: str) -> Invitation | None:
    """Return the invitation with that digest."""
    return one(uow, Invitation, select(*_INVITATION).where(invitations.c.digest == digest))


def invitations_of(uow: UnitOfWork, team: str) -> list[Invitation]:
    """Return whom the team invited, newest first."""
    query = select(*_INVITATION).where(invitations.c.team == team)
    return many(uow, Invitation, query.order_by(invitations.c.id.desc()))


def set_invitation(uow: UnitOfWork, id: str, **values: Any) -> None:
    """Write down that an invitation was used, or is revoked."""
    uow.connection.execute(invitations.update().where(invitations.c.id == id).values(**values))
