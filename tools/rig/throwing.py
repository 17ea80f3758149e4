"""Throws what Schemathesis makes of the OpenAPI document, as people of every role."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from requests.adapters import HTTPAdapter
from schemathesis import GenerationMode
from schemathesis.core.errors import InvalidSchema
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from .people import ROLES, Stage

BASE = "http://perron.localhost"
ENDLESS = ("/logs/follow", "/events")
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
BUSY = {"Busy", "DatabaseLocked", "AgentAway", "LogsAway"}  # 503 that say to come again


class Door(HTTPAdapter):
    """Leads requests to the API's unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__(pool_maxsize=1)
        self._pool = _Pool("perron.localhost", maxsize=1, timeout=60)
        self._pool.path = str(path)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool


class _Connection(HTTPConnection):
    path = ""

    def _new_conn(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(60)
        made.connect(self.path)
        return made


class _Pool(HTTPConnectionPool):
    path = ""

    def _new_conn(self) -> _Connection:
        made = _Connection("perron.localhost")
        made.path = self.path
        return made


@schemathesis.serializer("application/gzip")
def _as_archive(_context: Any, value: Any) -> bytes:
    """Send what no archive is, as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@dataclass
class Thrown:
    """What came back: how many of each status, and every kind of fault with its first example."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    by_role: Counter[str] = field(default_factory=Counter)
    reached: dict[str, set[int]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{status}: {n}" for status, n in sorted(self.statuses.items()))
        roles = ", ".join(f"{role}: {n}" for role, n in sorted(self.by_role.items()))
        return f"{self.cases} cases ({told}) as {roles}; {len(self.faults)} kinds of fault"


def throw(stage: Stage, *, cases: int, is_over: Callable[[], bool] = lambda: False) -> Thrown:
    """Throw so many cases, spread over all operations; the same ones each time.

    Of some operations few different cases can be made: what they leave, others take.
    """
    session = requests.Session()
    session.mount(BASE, Door(stage.socket))
    document = session.get(BASE + "/v1/openapi.json").json()
    operations = list(_operations(document))
    thrown, before = Thrown(), -1
    while before < thrown.cases < cases:
        before = thrown.cases
        for number, operation in enumerate(operations):
            if is_over():
                return thrown
            left = max(1, (cases - thrown.cases) // (len(operations) - number))
            _throw_one(stage, session, operation, thrown, most=left, number=before + number)
    return thrown


def _operations(document: dict[str, Any]) -> Iterator[Any]:
    config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    for each in schemathesis.openapi.from_dict(document, config=config).get_all_operations():
        yield each.ok()


def _throw_one(
    stage: Stage, session: requests.Session, operation: Any, thrown: Thrown, *, most: int,
    number: int,
) -> None:  # fmt: skip
    made = list(_strategies(operation, stage.words_for(operation.method, operation.path)))
    for strategy in made:
        share = max(1, most // len(made) // len(ROLES))

        @seed(number)
        @settings(
            max_examples=share, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(strategy)
        def send(case: Any) -> None:
            for role in reversed(ROLES):  # who may least asks first: more is left to ask for
                _send(stage, session, case, role, thrown)

        with suppress(Unsatisfiable, InvalidSchema):  # nothing can be wrong with it
            send()


def _strategies(operation: Any, wordings: list[dict[str, str]]) -> Iterator[Any]:
    """Give cases that lead somewhere, and some that do not; wrong ones where one can be wrong."""
    wrong = bool(operation.body or operation.query)
    for words in wordings or [{}]:
        yield operation.as_strategy(GenerationMode.POSITIVE, path_parameters=words or None)
        if wrong:
            yield operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=words or None)
    if wordings:
        yield operation.as_strategy(GenerationMode.POSITIVE)


def _send(
    stage: Stage, session: requests.Session, case: Any, role: str, thrown: Thrown
) -> None:  # fmt: skip
    name = f"{case.method.upper()} {case.operation.path}"
    headers = stage.headers(role)
    endless = name.endswith(ENDLESS)
    try:
        answer = case.call(BASE, session, headers, stream=endless, timeout=60) if not endless else (
            _begin(session, case, headers))  # fmt: skip
    except (requests.RequestException, ValueError) as why:
        thrown.faults.setdefault(f"{name}: {type(why).__name__}", f"as {role}: {why}"[:2000])
        return
    thrown.cases += 1
    thrown.statuses[answer.status_code] += 1
    thrown.by_role[role] += 1
    thrown.reached.setdefault(name, set()).add(answer.status_code)
    if answer.status_code >= 500 and not _is_busy(answer):
        thrown.faults.setdefault(f"{name}: {answer.status_code}", _told(case, role, answer))
    if endless:
        return
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as failed:
        for each in failed.exceptions:
            key = f"{name}: {type(each).__name__} {answer.status_code}"
            thrown.faults.setdefault(key, f"{each}\n{_told(case, role, answer)}")


def _begin(session: requests.Session, case: Any, headers: dict[str, str]) -> requests.Response:
    """Ask for a stream, and look only at how it begins."""
    asked = case.as_transport_kwargs(base_url=BASE, headers=headers)
    with session.request(**asked, stream=True, timeout=60) as answer:
        expected = "text/event-stream" if answer.ok else "application/problem+json"
        if not answer.headers["content-type"].startswith(expected):
            raise ValueError(f"A stream begins with {answer.headers}")
        return answer


def _is_busy(answer: Any) -> bool:
    with suppress(ValueError, KeyError, TypeError):
        return answer.status_code == 503 and answer.json()["type"].rpartition("/")[2] in BUSY
    return False


def _told(case: Any, role: str, answer: Any) -> str:
    return f"as {role}: {case.as_curl_command()[:1500]}\n-> {answer.text[:700]}"
