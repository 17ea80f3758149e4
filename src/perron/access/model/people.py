"""People: who may sign in, and what they are called."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from perron.kit.problems import Conflict, Forbidden, NotFound

LONGEST_HANDLE = 28


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in; the only place where their name is kept.

    Of one who was erased only the id is left. ``password`` is a hash.
    """

    id: str
    name: str
    administrator: bool
    created: datetime
    handle: str | None = None
    email: str | None = None
    password: str | None = None
    erased: datetime | None = None


@dataclass(frozen=True)
class PersonAdded:
    """Somebody may sign in."""

    type: ClassVar[str] = "perron.person.added.v1"
    administrator: bool


@dataclass(frozen=True)
class PersonErased:
    """Name and e-mail of somebody are forgotten; they may sign in no more."""

    type: ClassVar[str] = "perron.person.erased.v1"


@dataclass(frozen=True)
class PersonChanged:
    """Somebody changed what they are called, or their address; what it was is not told."""

    type: ClassVar[str] = "perron.person.changed.v1"
    fields: list[str]


@dataclass(frozen=True)
class AdministratorChanged:
    """Somebody may do everything from now on, or no more."""

    type: ClassVar[str] = "perron.person.administrator_changed.v1"
    before: bool
    administrator: bool


@dataclass(frozen=True)
class PasswordChanged:
    """Somebody has another password; ``how`` is change or reset."""

    type: ClassVar[str] = "perron.password.changed.v1"
    how: str


@dataclass(frozen=True)
class PasswordResetMade:
    """An administrator made a link by which somebody may set a new password."""

    type: ClassVar[str] = "perron.password.reset_made.v1"
    expires: str


class PersonNotFound(NotFound):
    """No person has that handle or id."""


class HandleTaken(Conflict):
    """Somebody else has that handle."""


class LastAdministrator(Conflict):
    """Without this person nobody could administer the platform."""


class OldPasswordWrong(Forbidden):
    """The present password is another one."""


class PasswordWeak(Conflict):
    """The password is too easy to guess."""


def handle_for(name: str, taken: Collection[str]) -> str:
    """Return a handle made of a name that nobody has yet."""
    letters = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    base = letters if letters[:1].isalpha() else f"p-{letters}".strip("-")
    base = base[:LONGEST_HANDLE].rstrip("-")
    if base not in taken:
        return base
    number = 2
    while (other := f"{base[: LONGEST_HANDLE - len(str(number)) - 1]}-{number}") in taken:
        number += 1
    return other


def check_password(password: str, person: Person) -> None:
    """Refuse a password that repeats one thing, or is what the person is called."""
    known = {each.lower() for each in (person.handle, person.name, person.email) if each}
    if password.lower() in known or len(set(password)) < 4:
        raise PasswordWeak("Too easy to guess: choose one that is neither your name nor one sign.")
