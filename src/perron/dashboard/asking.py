"""What a page is asked, what it answers, and how pages and acts are written.

A page is a plain function from ``Ask`` to ``Shown`` (or ``Done``, to go elsewhere); it runs in a
thread of the dashboard's own and asks the platform through ``ask.client``. An act is one that
changes something: it answers ``Done``, and when the platform refuses, the page it came from is
shown again with what was typed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData, QueryParams, UploadFile

from perron.client import Client, Place, Refused

from .cookies import Session
from .words import Clock

Show = Callable[["Ask"], "Shown | Done"]
Do = Callable[["Ask"], "Shown | Done"]
PRODUCTION = "production"


@dataclass(frozen=True)
class Ask:
    """One request: who asks, what for, and the client that asks the platform for them.

    ``refused`` is set when an act was refused and its page is shown again with ``form``;
    ``device`` is the browser's proof that somebody signed in with it before.
    """

    client: Client
    session: Session
    path: str
    at: Mapping[str, str]
    query: QueryParams
    clock: Clock
    form: FormData = field(default_factory=FormData)
    refused: Refused | None = None
    scheme: str = "http"
    host: str = ""
    device: str | None = None
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def app(self) -> str:
        """The app in the address."""
        return self.at["app"]

    @property
    def environment(self) -> str:
        """The environment that is looked at: ``?env=``, production by default."""
        return self.query.get("env") or PRODUCTION

    @property
    def place(self) -> Place:
        """The app's environment that is looked at."""
        return Place(self.app, self.environment)

    def said(self, name: str, default: str = "") -> str:
        """Return a field of the form as text, without blanks around it."""
        value = self.form.get(name, default)
        return default if isinstance(value, UploadFile) else value.strip()

    def must_mean(self, name: str, otherwise: str) -> None:
        """Refuse what cannot be undone unless its ``name`` was typed; ``otherwise`` is so then."""
        if self.said("confirm") != name:
            detail = f"Type {name} into the field to mean it. {otherwise}"
            raise Refused(422, {"title": "Not confirmed", "detail": detail})

    def again(self, refused: Refused) -> "Ask":
        """Return the same ask, with why the platform said no."""
        return replace(self, refused=refused)


@dataclass(frozen=True)
class Shown:
    """A page: its template and what it is drawn from. ``status`` is 200 unless it tells a fault.

    ``cookies`` are whole ``Set-Cookie`` values.
    """

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """Something was changed: where to go now, and what the toast there says."""

    to: str
    said: str = ""
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page at an address; ``is_open``: for those who have not signed in as well.

    Asked with ``Accept: text/event-stream`` it is followed live: whatever its ``part`` blocks
    show anew is sent.
    """

    path: str
    show: Show
    is_open: bool = False


@dataclass(frozen=True)
class Act:
    """A form's address: ``do`` changes something; when it is refused, ``show`` is shown again."""

    path: str
    do: Do
    show: Callable[["Ask"], "Shown"] | None = None
    is_open: bool = False


def with_query(path: str, **query: str | None) -> str:
    """Return a path with the query fields that have a value; production is not named."""
    if query.get("env") == PRODUCTION:
        query["env"] = None
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
