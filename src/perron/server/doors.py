"""All routes of all rooms in one list, of which a request meets only those it may mean."""

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import chain

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from perron.kit.answers import Route

Tags = Sequence[str | Enum]
Key = tuple[int, str]


class Doors(APIRouter):
    """Finds a route by how many words an address has, and by its second: ``/v1/apps/shop``.

    To try two hundred patterns one after the other takes longer than many a route does.
    """

    known: dict[Key, list[BaseRoute]]
    others: list[BaseRoute]

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead a request to its route; what ends in a slash may be led elsewhere."""
        if scope["type"] != "http" or scope["path"].endswith("/"):
            await super().app(scope, receive, send)
            return
        scope.setdefault("router", self)
        found = self._found(scope)
        await (found.handle if found else self.default)(scope, receive, send)

    def index(self) -> None:
        """Put every route in its place, once all are there."""
        self.known, self.others = {}, []
        for each in self.routes:
            key = _key(each.path) if isinstance(each, APIRoute) else None
            if key and "{" not in key[1] and ":path}" not in str(getattr(each, "path", "")):
                self.known.setdefault(key, []).append(each)
            else:
                self.others.append(each)

    def _found(self, scope: Scope) -> BaseRoute | None:
        """Return the route that is meant, or one at the address that takes other methods."""
        partial: tuple[BaseRoute, Scope] | None = None
        for each in chain(self.known.get(_key(scope["path"]), ()), self.others):
            match, more = each.matches(scope)
            if match == Match.FULL:
                scope.update(more)
                return each
            if match == Match.PARTIAL and partial is None:
                partial = each, more
        if partial is None:
            return None
        scope.update(partial[1])
        return partial[0]


def open_doors(
    app: FastAPI, rooms: Sequence[APIRouter], *, name: Callable[[APIRoute], str]
) -> None:
    """Put every route of every room into the app: answered in one hop, and quickly found."""
    doors = app.router
    doors.__class__ = Doors
    assert isinstance(doors, Doors)  # noqa: S101 - it was just made one
    for room in rooms:
        for route, tags in _routes_of(room):
            if isinstance(route, APIRoute) and not isinstance(route, Route):
                route.tags = [*tags, *route.tags]
                route.responses = {**doors.responses, **route.responses}
                _call(route, name(route))
                Route.take(route)
            doors.routes.append(route)
    doors.index()


def _call(route: APIRoute, name: str) -> None:
    """Let the API's description know a route, and what it answers, by this name."""
    route.unique_id = name
    if route.response_field:
        route.response_field.name = f"Response_{name}"


def _routes_of(router: APIRouter, tags: Tags = ()) -> Iterator[tuple[BaseRoute, Tags]]:
    """Give the routes of a room and of the rooms within it, with the tags they inherit."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route, tags
        else:
            yield from _routes_of(inner, [*tags, *router.tags])


def _key(path: str) -> Key:
    words = path.split("/")
    return len(words), words[2] if len(words) > 2 else ""
