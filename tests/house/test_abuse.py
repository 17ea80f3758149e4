"""Whatever is thrown at any route: never a fault of ours, always problem details."""

import json
import random

import pytest

from perron import operations, runtime
from perron.operations import store
from perron.runtime.engines.memory import MemoryEngine

LONG, DEEP = "x" * 100_000, json.loads("[" * 50 + "]" * 50)
WRONG = (
    None, True, 0, -1, 1.5, 10**40, 1e308, "", " ", "\x00", "\ud800", "💥é\u202e", "../../etc",
    "a\r\nX-Evil: 1", "%00", LONG, [], [[]], {}, {"": None}, DEEP, ["\x00"], {"\x00": "\x00"},
)  # fmt: skip
PARTS = (
    "%00",
    "..%2f..%2fetc",
    "%F0%9F%92%A5",
    "%FF",
    "x" * 5000,
    "-1",
    "1" * 40,
    "%0d%0aX:1",
    "%20",
)
CURSORS = ("x", "e30", "bm8", "WzFd", "ü", "\x00", "W10", "WyIiXQ" * 2000, "1" * 30, "-1")
TYPES = (
    "",
    "text/plain",
    "application/xml",
    "application/json; charset=utf-16",
    "multipart/form-data",
)
BODIES = (
    b"",
    b"{",
    b"\xff\xfe",
    b"null",
    b"[]",
    b'"x"',
    b"1e999",
    b"NaN",
    b'{"a":1,"a":2}',
    b"[" * 20_000,
)
HEADERS = (
    {"Idempotency-Key": "x" * 300}, {"If-Match": "\x7f" * 3}, {"If-Match": '"'}, {"Accept": "x"},
    {"Last-Event-ID": "1" * 400}, {"Last-Event-ID": "-1"}, {"Content-Encoding": "gzip"},
    {"Range": "bytes=-"},
)  # fmt: skip
WORDS = {
    "app": "shop", "environment": "production", "token": "tok_none", "number": "1", "other": "2",
    "name": "KEY", "host": "shop.example", "volume": "data", "run": "run_1", "instance": "ins_1",
    "snapshot": "20260101T000000Z",
    "risk": "tcp-open", "code": "AppNotFound", "team": "blue", "schedule": "nightly",
    "person": "per_none", "session": "ses_none", "invitation": "inv_none",
}  # fmt: skip
ENDLESS = "/logs/follow"
ENDS_ALL = {("DELETE", "/v1/apps/{app}"), ("DELETE", "/v1/apps/{app}/environments/{environment}")}
AWAY = {"/v1/problems/AgentAway", "/v1/problems/LogsAway", "/v1/problems/Unavailable"}


@pytest.fixture(scope="module")
def platform(shared_ground):
    runtime.use(shared_ground.home, MemoryEngine(shared_ground.home))
    return shared_ground


@pytest.fixture(scope="module")
def http(platform):
    with platform.writing() as uow:
        made = operations.start(uow, "none", subject="-", lock="-", team=platform.blue)
        store.update(uow, made, state="done", settled=True)
    WORDS.update(operation=made.id, app=platform.shop.id)
    return platform.http(platform.root)


def document(platform):
    return json.loads(platform.http("").get("/v1/openapi.json").text)


def routes(platform):
    for path, verbs in document(platform)["paths"].items():
        for method, told in verbs.items():
            yield method.upper(), path, told


def bearable(answer, what):
    """Say that an answer is no fault; a machine that is away may be told as such."""
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/problem+json", what
    body = answer.json()
    assert body["type"].startswith("/v1/problems/"), what
    assert body["detail"], what
    assert answer.status_code < 500 or body["type"] in AWAY, (what, body)


def throw(http, method, address, what, **given):
    if address.partition("?")[0].endswith(ENDLESS) and "after" not in address:
        return
    bearable(http.request(method, address, **given), (method, address[:200], what))


def test_odd_parts_of_an_address_are_refused(platform, http):
    for method, path, _ in routes(platform):
        for name in WORDS:
            if "{" + name + "}" in path and not path.endswith(ENDLESS):
                for odd in PARTS:
                    address = path.replace("{" + name + "}", odd).format(**WORDS)
                    throw(http, method, address, odd[:20])


def test_odd_queries_are_refused(platform, http):
    for method, path, told in routes(platform):
        names = [each["name"] for each in told.get("parameters", ()) if each["in"] == "query"]
        for name in names if not path.endswith(ENDLESS) else ():
            for odd in CURSORS:
                address = path.format(**WORDS)
                throw(http, method, address, (name, odd[:20]), params={name: odd})


def test_bodies_that_are_no_document_are_refused(platform, http):
    for method, path, told in routes(platform):
        if "requestBody" not in told:
            continue
        address = path.format(**WORDS)
        for body in BODIES:
            headers = {"Content-Type": "application/json"}
            throw(http, method, address, body[:20], content=body, headers=headers)
        for kind in TYPES:
            headers = {"Content-Type": kind}
            throw(http, method, address, kind, content=b'{"name": "x"}', headers=headers)


def test_odd_headers_are_borne(platform, http):
    for method, path, told in routes(platform):
        if (method, path) in ENDS_ALL:
            continue
        body = {"json": {}} if "requestBody" in told else {}
        for headers in HEADERS:
            throw(http, method, path.format(**WORDS), headers, headers=headers, **body)


def test_wrong_values_in_every_field_are_refused(platform, http):
    chance = random.Random(5)
    shapes = document(platform)["components"]["schemas"]
    for method, path, told in routes(platform):
        schema = told.get("requestBody", {}).get("content", {}).get("application/json")
        if not schema:
            continue
        address = path.format(**WORDS)
        shape = shapes[schema["schema"]["$ref"].rpartition("/")[2]]
        fields = list(shape.get("properties", ()))
        throw(http, method, address, "unknown", json={"colour": "blue"})
        for field in fields:
            for wrong in WRONG:
                throw_json(http, method, address, {field: wrong})
                others = {each: chance.choice(WRONG) for each in fields}
                throw_json(http, method, address, others | {field: wrong})
                throw_json(http, method, address, plausible(shapes, shape) | {field: wrong})


def throw_json(http, method, address, value):
    body = json.dumps(value).encode()
    headers = {"Content-Type": "application/json"}
    throw(http, method, address, str(value)[:200], content=body, headers=headers)


def plausible(shapes, shape):
    """A document that could be meant, by the schema."""
    return {name: guess(shapes, told) for name, told in shape.get("properties", {}).items()}


def guess(shapes, told):
    if "$ref" in told:
        return plausible(shapes, shapes[told["$ref"].rpartition("/")[2]])
    told = next(iter(told.get("anyOf", ())), told)
    if told.get("type") == "object":
        inner = told.get("additionalProperties")
        return {"web": guess(shapes, inner)} if isinstance(inner, dict) else {}
    found = {"integer": 1, "number": 1.0, "boolean": True, "array": []}
    return found.get(told.get("type"), "word")
