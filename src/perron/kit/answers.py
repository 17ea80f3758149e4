"""How a route answers: its transaction, its work and its answer's bytes, in one hop to a thread.

A thread costs more than what most routes do in it, so all of a request is done in one. What a
route needs of its transaction (``Work``, who asks) is promised as ``Later`` while its parameters
are read, and found in the thread, before the route itself.
"""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from json import dumps
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, request_response

from . import once
from .callers import caller_of
from .db import UnitOfWork, reading, unit_of_work

READING = ("GET", "HEAD")
NO_BODY = frozenset({204, 205, 304})

Found = TypeVar("Found")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True)
class Later(Generic[Found]):
    """What a route will be given once its transaction is open."""

    request: Request
    find: Callable[[Request, UnitOfWork], Found]


class InWork(Generic[Found]):
    """A dependency that is found in the request's transaction; name it in ``Depends``."""

    def __init__(self, find: Callable[[Request, UnitOfWork], Found]) -> None:
        self.find = find

    async def __call__(self, request: Request) -> Later[Found]:
        """Promise it."""
        return Later(request, self.find)


Work = Annotated[UnitOfWork, Depends(InWork(lambda _request, uow: uow))]


class Sound(Request):
    """A request whose texts are whole: what cannot be written again is refused."""

    async def json(self) -> Any:
        """Return the body's document, unless half a character is in it."""
        value = await super().json()
        try:
            dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise HTTPException(
                400, "A text has half a character in it (a lone surrogate): send whole ones."
            ) from None
        return value


class Route(APIRoute):
    """A route that reads only whole texts, and does all of a request in one transaction.

    Its answer is written, and kept for an Idempotency-Key, in the transaction it tells of; that
    is committed before the answer is sent.
    """

    @classmethod
    def take(cls, route: APIRoute) -> None:
        """Make a route of a room one of ours; the room's own function stays as it is."""
        route.__class__ = cls
        route.dependant.call = route.endpoint = _in_one_hop(route)
        route.app = request_response(route.get_route_handler())

    def get_route_handler(self) -> Handler:
        """Return what answers a request."""
        handle = super().get_route_handler()
        promised = [each.call for each in self.dependant.dependencies]
        wanted = [each.find for each in promised if isinstance(each, InWork)]

        async def answer(request: Request) -> Response:
            request.__class__ = Sound
            try:
                return await handle(request)
            except RequestValidationError:
                await run_in_threadpool(_find, request, wanted)  # who may not ask hears that first
                raise

        return answer


def _in_one_hop(route: APIRoute) -> Callable[..., Any]:
    """Return a room's function that opens the transaction and writes the answer by itself."""
    call = route.endpoint

    @wraps(call)
    def answered(**given: Any) -> Any:
        later = {name: each for name, each in given.items() if isinstance(each, Later)}
        if not later:
            return call(**given)
        request = next(iter(later.values())).request
        with _work(request) as uow:
            found = {name: each.find(request, uow) for name, each in later.items()}
            response = _written(route, given, call(**given | found))
            request.state.answer = response
            if pending := getattr(request.state, "once", None):
                _keep(uow, pending[1], response)
        return response

    if not iscoroutinefunction(call):
        return answered
    if any(isinstance(each.call, InWork) for each in route.dependant.dependencies):
        raise TypeError(f"{route.path}: a route with a transaction is no coroutine; it may wait.")
    return call


@contextmanager
def _work(request: Request) -> Iterator[UnitOfWork]:
    """Open the request's transaction; one that only asks waits for no writer.

    What is left in ``once_kept`` is done when it has ended: no other writer waits for a machine.
    """
    opened = reading if request.method in READING else unit_of_work
    with opened(request.app.state.database) as uow:
        uow.caller = caller_of(request.headers)
        yield uow
    _do_outside(request, uow)


def _find(request: Request, wanted: list[Callable[[Request, UnitOfWork], Any]]) -> None:
    with reading(request.app.state.database) as uow:
        uow.caller = caller_of(request.headers)
        for find in wanted:
            find(request, uow)


def _written(route: APIRoute, given: dict[str, Any], shown: Any) -> Response:
    """Write what a route shows, as its model says; with the status and headers it has set."""
    if isinstance(shown, Response):
        return shown
    own = next((each for each in given.values() if isinstance(each, Response)), None)
    status = (own and own.status_code) or route.status_code or 200
    if route.response_field is None:
        response: Response = JSONResponse(jsonable_encoder(shown), status)
    else:
        response = Response(_bytes_of(route, shown), status, media_type="application/json")
    if status in NO_BODY:
        response = Response(status_code=status)
    if own:
        response.headers.raw.extend(own.headers.raw)
    return response


def _bytes_of(route: APIRoute, shown: Any) -> bytes:
    """Return the answer's JSON; what is of the declared model already is not looked at again."""
    field = route.response_field
    assert field  # noqa: S101 - asked only for routes that have one
    value, wrong = field.validate(shown, {}, loc=("response",))
    if wrong:
        raise ResponseValidationError(errors=wrong, body=shown)
    return field.serialize_json(
        value,
        by_alias=route.response_model_by_alias,
        exclude_none=route.response_model_exclude_none,
        exclude_unset=route.response_model_exclude_unset,
    )


def _do_outside(request: Request, uow: UnitOfWork) -> None:
    """Ask the world outside; when it refuses, the kept answer is let go, so that a repeat asks."""
    try:
        for act in uow.once_kept:
            act()
    except BaseException:
        if pending := getattr(request.state, "once", None):
            with unit_of_work(request.app.state.database) as own:
                once.forget(own, pending[1])
        raise


def _keep(uow: UnitOfWork, asked: once.Asked, response: Response) -> None:
    if response.status_code not in (201, 202):  # nothing was made: asking again does no harm
        return
    is_secret = "no-store" in response.headers.get("cache-control", "")
    media_type = response.headers.get("content-type")
    body = None if is_secret else bytes(response.body)
    once.keep(uow, asked, status=response.status_code, body=body, media_type=media_type)
