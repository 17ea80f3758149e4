"""How every error of the API is told: RFC 9457 problem details with a stable type."""

import http
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from perron.contract.problems import MEDIA_TYPE, ProblemView
from perron.kit.db import Database
from perron.kit.files import DiskFull
from perron.kit.holders import Holder
from perron.kit.once import Recalled
from perron.kit.problems import NotFound, Problem

from .lockers import lock_on

log = logging.getLogger(__name__)
router = APIRouter(tags=["platform"])

Show = Callable[[Request, Exception], Response]
TYPES = "/v1/problems/"
OWN = {
    "Invalid": (422, "The request can be read, but a field of it cannot be."),
    "NoSuchAddress": (404, "Nothing is at that address."),
    "NoSuchMethod": (405, "The address takes other methods."),
    "TooLarge": (413, "More was sent than is taken."),
    "Unreadable": (400, "The request cannot be read."),
    "Busy": (503, "The database would not take it just now."),
    "DatabaseLocked": (503, "Another process keeps the database locked."),
    "Fault": (500, "A fault of the platform."),
}


class ProblemTypeNotFound(NotFound):
    """No problem has that code."""


def install(app: FastAPI) -> None:
    """Let the app tell every error in the one way.

    What only writes a few words does so without a thread.
    """
    app.add_exception_handler(Recalled, _at_once(show_again))
    app.add_exception_handler(Problem, _at_once(show_problem))
    app.add_exception_handler(RequestValidationError, _at_once(show_invalid))
    app.add_exception_handler(HTTPException, _at_once(show_refusal))
    app.add_exception_handler(OperationalError, show_busy)
    app.add_exception_handler(Exception, _at_once(show_fault))


def show_again(_request: Request, recalled: Exception) -> Response:
    """Answer a repeated request as it was answered before."""
    assert isinstance(recalled, Recalled)  # noqa: S101 - registered for Recalled only
    headers = {"Idempotency-Replayed": "true"}
    return Response(recalled.body, recalled.status, headers, media_type=recalled.media_type)


def show_problem(request: Request, problem: Exception) -> JSONResponse:
    """Tell a refusal of a room, with the facts it gave."""
    assert isinstance(problem, Problem)  # noqa: S101 - registered for Problem only
    answer = answer_of(
        request, problem.status, problem.code, _title(type(problem)), problem.detail, problem.facts
    )
    if problem.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if retry_after := problem.facts.get("retry_after"):
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def show_invalid(request: Request, why: Exception) -> JSONResponse:
    """Tell which fields cannot be, by their path, and never what was in them."""
    assert isinstance(why, RequestValidationError)  # noqa: S101 - registered for it only
    fields = [{"field": _path(each["loc"]), "problem": each["msg"]} for each in why.errors()[:20]]
    first = fields[0]
    where = f"{first['field']}: " if first["field"] else ""
    more = f" And {len(why.errors()) - 1} more." if len(why.errors()) > 1 else ""
    detail = f"{where}{first['problem']}.{more} Correct it and send it again."
    return _own(request, "Invalid", detail, fields=fields)


def show_refusal(request: Request, why: Exception) -> JSONResponse:
    """Tell what the framework itself refuses: addresses, methods, bodies."""
    assert isinstance(why, HTTPException)  # noqa: S101 - registered for it only
    path = request.url.path
    if why.status_code == 404:
        return _own(request, "NoSuchAddress", f"Nothing is at {path}; all is listed at /v1/docs.")
    if why.status_code == 405:
        allowed = (why.headers or {}).get("Allow", "others")
        detail = f"{path} does not take {request.method}; it takes: {allowed}."
        answer = _own(request, "NoSuchMethod", detail)
        answer.headers["Allow"] = allowed
        return answer
    code = "TooLarge" if why.status_code == 413 else "Unreadable"
    answer = _own(request, code, str(why.detail))
    answer.status_code = why.status_code
    return answer


def show_busy(request: Request, fault: Exception) -> JSONResponse:
    """Say that the database would not take it, and why.

    Work of our own passes, so the caller tries again; for another process somebody has to see.
    """
    log.warning("The database would not take it: %s", fault)
    database: Database = request.app.state.database
    if "disk is full" in str(fault):
        return show_problem(request, DiskFull(_FULL))
    by = ""
    if "locked" in str(fault) and database.url.database:
        locker = lock_on(request.app.state.home.database)
        if locker and locker.pid != os.getpid():
            return _locked(request, locker)
        by = f" (it is locked by {locker})" if locker else " (it was locked)"
    detail = f"The platform could not write this down{by}, so nothing was changed; try again soon."
    answer = _own(request, "Busy", detail)
    answer.headers["Retry-After"] = "1"
    return answer


_FULL = (
    "The platform could not write this down: the disk is full. Nothing was changed, and apps keep "
    "serving. Make room on the platform's disk, then ask again."
)


def show_fault(request: Request, fault: Exception) -> JSONResponse:
    """Say that the fault is ours; the log has the rest, under the request's id."""
    id = getattr(request.state, "request_id", "")
    log.error("Request %s: %s %s", id, request.method, request.url.path, exc_info=fault)
    detail = (
        "Something went wrong on our side, and nothing was changed. "
        f"The server's log says more under request {id}."
    )
    return _own(request, "Fault", detail)


@router.get(TYPES + "{code}")
def explain(code: str) -> ProblemView:
    """Explain a problem by its code: the last part of its ``type``."""
    for each in _known():
        if each.__name__ == code:
            return _view(code, each.status, _title(each))
    if code in OWN:
        return _view(code, *OWN[code])
    raise ProblemTypeNotFound(f"No problem has the code {code!r}.", problem=code)


def answer_of(
    request: Request, status: int, code: str, title: str, detail: str, facts: dict[str, Any]
) -> JSONResponse:
    """Return an answer in problem details."""
    body = {
        **{name: value for name, value in facts.items() if _is_plain(value)},
        "type": TYPES + code,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", None),
    }
    return JSONResponse(body, status, media_type=MEDIA_TYPE)


def _at_once(show: Show) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def shown(request: Request, why: Exception) -> Response:
        return show(request, why)

    return shown


def _path(place: tuple[str | int, ...]) -> str:
    """Name a field by its path; where the text breaks off, by the character."""
    if len(place) == 2 and isinstance(place[1], int):
        return f"character {place[1]} of the {place[0]}"
    return ".".join(str(part) for part in place[1:])


def _own(request: Request, code: str, detail: str, **facts: Any) -> JSONResponse:
    status, title = OWN[code]
    return answer_of(request, status, code, title, detail, facts)


def _locked(request: Request, locker: Holder) -> JSONResponse:
    """Name another process that keeps the database for itself."""
    detail = (
        f"The platform's database is locked by {locker}, so nothing was changed. Let that end or "
        f"stop it (kill {locker.pid}), then ask again. Apps keep serving."
    )
    answer = _own(request, "DatabaseLocked", detail, pid=locker.pid, command=locker.command)
    answer.headers["Retry-After"] = "5"
    return answer


def _view(code: str, status: int, title: str) -> ProblemView:
    name = http.HTTPStatus(status).phrase
    return ProblemView(type=TYPES + code, title=title, status=status, detail=f"{title} ({name})")


def _title(problem: type[Problem]) -> str:
    return (problem.__doc__ or problem.__name__).strip().splitlines()[0]


def _known(of: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for each in of.__subclasses__():
        yield each
        yield from _known(each)


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(each) for name, each in value.items())
    return value is None or isinstance(value, str | int | float | bool)
