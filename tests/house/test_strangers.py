"""A second team, tokens of one app, and nobody at all: what is not theirs is not there."""

import pytest

from perron import access, catalog, operations, runtime
from perron.access import ROLES, Actor, may
from perron.operations import store
from perron.runtime.engines.memory import MemoryEngine

from .test_permissions import (
    APP,
    BODIES,
    BY_SECRET,
    ENDLESS,
    FOR_ADMINISTRATORS,
    LISTS,
    NEEDS,
    OPEN,
    TEAM,
    WORDS,
)

OPERATION = "/v1/operations/{operation}"
OWNED = sorted(each for each in NEEDS if each[1].startswith((APP, TEAM, OPERATION)))
OF_APPS = sorted(each for each in NEEDS if each[1].startswith(APP) and each not in ENDLESS)
NOWHERE = {"app": "nowhere", "team": "nowhere", "operation": "op_nowhere"}
OFFERED = ("POST", APP + "/transfer/accept")  # asked of a team to which nothing was offered
DETECT = ("POST", APP + "/detect")  # whoever may make apps may ask what one would be


@pytest.fixture(scope="module")
def platform(shared_ground):
    runtime.use(shared_ground.home, MemoryEngine(shared_ground.home))
    return shared_ground


@pytest.fixture(scope="module")
def operation(platform):
    with platform.writing() as uow:
        made = operations.start(uow, "none", subject="-", lock="-", team=platform.blue)
        store.update(uow, made, state="done", settled=True)
    return made.id


@pytest.fixture(scope="module")
def key(platform):
    """Return a token of one app in a role, made by an owner of its team."""
    with platform.writing() as uow:
        blog = catalog.add_app(uow, "blog", team=platform.blue)
    apps = {"shop": platform.shop.id, "blog": blog.id}

    def key(app, role):
        with platform.writing() as uow:
            made = access.make_app_token(
                uow, Actor(platform.ada.id), app=apps[app], team=platform.blue, role=role,
                name="", expires=None,
            )  # fmt: skip
        return platform.http(made[1])

    return key


def ask(http, route, words):
    method, path = route
    return http.request(method, path.format(**words), json=BODIES.get(route))


def told(answer, words):
    """Return an answer without the name that was asked for, and without the request's own id."""
    body = answer.json()
    for own in ("request_id", "instance"):
        body.pop(own, None)
    text = str(sorted(body.items()))
    for name in ("app", "team", "operation"):
        text = text.replace(repr(words[name]), "'…'").replace(f"/{words[name]}", "/…")
    return answer.status_code, text


def test_every_operation_of_the_document_has_a_permission_or_needs_none(platform):
    document = platform.app.openapi()["paths"]
    found = {(method.upper(), path) for path, item in document.items() for method in item}
    assert found <= set(NEEDS) | OPEN | BY_SECRET


@pytest.mark.parametrize("route", OWNED, ids=" ".join)
def test_to_another_team_what_is_there_and_what_is_not_are_told_alike(platform, operation, route):
    there, nowhere = WORDS | {"operation": operation}, WORDS | NOWHERE
    stranger = platform.http(platform.person("stranger"))
    first, second = ask(stranger, route, there), ask(stranger, route, nowhere)
    assert told(first, there) == told(second, nowhere)
    if route != DETECT:
        assert first.status_code == (403 if route in FOR_ADMINISTRATORS else 404)


@pytest.mark.parametrize("route", [each for each in OWNED if each not in (OFFERED, DETECT)],
                         ids=" ".join)  # fmt: skip
def test_a_refusal_leaves_an_event_that_says_who_and_what(platform, operation, route):
    stranger = platform.http(platform.person("stranger"))
    me = stranger.get("/v1/me").json()["id"]
    ask(stranger, route, WORDS | {"operation": operation})
    refused = [each for each in platform.events("perron.permission.refused.v1")
               if each["actor"] == me]  # fmt: skip
    assert NEEDS[route] in {each["data"]["permission"] for each in refused} | {"member.remove"}
    assert refused


@pytest.mark.parametrize("route", OWNED, ids=" ".join)
def test_a_token_of_another_app_of_the_same_team_finds_nothing(key, operation, route):
    there = WORDS | {"operation": operation}
    status = ask(key("blog", "owner"), route, there).status_code
    assert status == (403 if route == DETECT or route in FOR_ADMINISTRATORS else 404)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", OF_APPS, ids=" ".join)
def test_a_token_of_one_app_may_what_its_role_may_there(key, route, role):
    if route == OFFERED:
        return
    if route == ("DELETE", APP) and role == "owner":
        return  # it would be gone for those who come after
    status = ask(key("shop", role), route, WORDS).status_code
    assert (status not in (401, 403)) == may(role, NEEDS[route])


@pytest.mark.parametrize("route", [each for each in NEEDS if each not in OWNED], ids=" ".join)
def test_beyond_its_app_a_token_of_one_app_may_look_at_the_platform_alone(key, route):
    answer = ask(key("shop", "owner"), route, WORDS)
    harmless = NEEDS[route] in ("me.read", "platform.read") or route in LISTS
    if harmless:
        is_one_of_many = "{schedule}" in route[1]  # no chore of the platform has that name
        assert answer.status_code == (404 if is_one_of_many else 200)
    else:
        assert answer.status_code in (403, 404, 409)
        assert "blog" not in answer.text


@pytest.mark.parametrize("route", sorted(BY_SECRET), ids=" ".join)
def test_without_the_secret_these_doors_are_locked_for_everybody(platform, route):
    secrets = {
        ("POST", "/v1/sessions"): {"link": "0" * 40},
        ("POST", "/v1/logins/{code}/token"): {"secret": "0" * 40},
        ("POST", "/v1/resets/{code}"): {"password": "correct horse"},
        ("POST", "/v1/invitations/{code}/accept"): {},
    }
    if route == ("POST", "/v1/logins"):
        return  # asking is free: what is asked for has to be approved
    method, path = route
    for http in (platform.http(""), platform.http(platform.token)):
        answer = http.request(method, path.format(**WORDS), json=secrets.get(route))
        assert answer.status_code in (404, 422)
