"""Every route, with every role: what the table gives is allowed, and nothing else."""

import pytest
from fastapi.routing import iter_route_contexts
from starlette.websockets import WebSocketDisconnect

from perron import operations, runtime
from perron.access import PERMISSIONS, ROLES, may
from perron.operations import store
from perron.runtime.engines.memory import MemoryEngine

APP = "/v1/apps/{app}"
PLACE = APP + "/environments/{environment}"
TEAM = "/v1/teams/{team}"
VOLUME = PLACE + "/volumes/{volume}"

NEEDS = {
    ("GET", "/v1/me"): "me.read",
    ("PATCH", "/v1/me"): "me.change",
    ("GET", "/v1/sessions"): "session.read",
    ("DELETE", "/v1/sessions/{session}"): "session.end",
    ("POST", "/v1/login-links"): "session.create",
    ("GET", "/v1/logins/{code}"): "login.approve",
    ("POST", "/v1/logins/{code}/approve"): "login.approve",
    ("DELETE", "/v1/logins/{code}"): "login.approve",
    ("GET", "/v1/people"): "person.read",
    ("GET", "/v1/people/{person}"): "person.read",
    ("PATCH", "/v1/people/{person}"): "person.change",
    ("DELETE", "/v1/people/{person}"): "person.erase",
    ("POST", "/v1/people/{person}/reset"): "person.change",
    ("GET", "/v1/teams"): "me.read",
    ("POST", "/v1/teams"): "team.create",
    ("GET", TEAM): "team.read",
    ("PATCH", TEAM): "team.change",
    ("DELETE", TEAM): "team.destroy",
    ("GET", TEAM + "/members"): "member.read",
    ("PATCH", TEAM + "/members/{person}"): "member.change",
    ("DELETE", TEAM + "/members/{person}"): "member.remove",
    ("GET", TEAM + "/invitations"): "invitation.read",
    ("POST", TEAM + "/invitations"): "invitation.create",
    ("DELETE", TEAM + "/invitations/{invitation}"): "invitation.revoke",
    ("GET", TEAM + "/tokens"): "app_token.read",
    ("GET", TEAM + "/transfers"): "team.read",
    ("GET", APP + "/tokens"): "app_token.read",
    ("GET", APP + "/transfer"): "app.read",
    ("POST", APP + "/transfer"): "app.transfer",
    ("DELETE", APP + "/transfer"): "app.transfer",
    ("POST", APP + "/transfer/accept"): "app.receive",
    ("GET", "/v1/tokens"): "token.read",
    ("POST", "/v1/tokens"): "token.create",
    ("DELETE", "/v1/tokens/{token}"): "token.revoke",
    ("GET", "/v1/platform"): "platform.read",
    ("GET", "/v1/platform/promises"): "platform.read",
    ("GET", "/v1/platform/doctor"): "platform.examine",
    ("GET", "/v1/platform/work"): "platform.examine",
    ("PUT", "/v1/platform/accepted/{risk}"): "platform.change",
    ("DELETE", "/v1/platform/accepted/{risk}"): "platform.change",
    ("GET", "/v1/audit"): "audit.read",
    ("GET", "/v1/teams/{team}/quotas"): "quota.read",
    ("PATCH", "/v1/teams/{team}/quotas"): "quota.change",
    ("GET", "/v1/audit/head"): "platform.read",
    ("POST", "/v1/audit/verify"): "audit.verify",
    ("POST", "/v1/audit/restart"): "audit.verify",
    ("GET", "/v1/operations"): "operation.read",
    ("GET", "/v1/operations/{operation}"): "operation.read",
    ("GET", "/v1/operations/{operation}/events"): "operation.read",
    ("POST", "/v1/operations/{operation}/cancel"): "operation.cancel",
    ("GET", "/v1/apps"): "app.read",
    ("POST", "/v1/apps"): "app.create",
    ("GET", "/v1/overview"): "app.read",
    ("GET", APP + "/activity"): "app.read",
    ("GET", APP): "app.read",
    ("PATCH", APP): "app.rename",
    ("DELETE", APP): "app.destroy",
    ("PUT", APP + "/sources"): "source.create",
    ("POST", APP + "/detect"): "source.create",
    ("GET", APP + "/environments"): "app.read",
    ("POST", APP + "/environments"): "environment.create",
    ("GET", PLACE): "app.read",
    ("DELETE", PLACE): "environment.destroy",
    ("GET", PLACE + "/releases"): "release.read",
    ("POST", PLACE + "/releases"): "release.create",
    ("GET", PLACE + "/releases/{number}"): "release.read",
    ("GET", PLACE + "/releases/{number}/diff/{other}"): "release.read",
    ("POST", PLACE + "/rollback"): "release.create",
    ("POST", PLACE + "/cancel"): "release.cancel",
    ("GET", PLACE + "/scale"): "release.read",
    ("PUT", PLACE + "/scale"): "scale.change",
    ("POST", PLACE + "/restart"): "instance.restart",
    ("POST", PLACE + "/stop"): "scale.change",
    ("POST", PLACE + "/start"): "scale.change",
    ("GET", PLACE + "/instances"): "instance.read",
    ("GET", PLACE + "/config"): "config.read",
    ("PATCH", PLACE + "/config"): "config.change",
    ("POST", PLACE + "/config/{name}/reveal"): "config.reveal",
    ("GET", PLACE + "/logs"): "logs.read",
    ("GET", PLACE + "/logs/follow"): "logs.read",
    ("GET", PLACE + "/domains"): "domain.read",
    ("POST", PLACE + "/domains"): "domain.change",
    ("DELETE", PLACE + "/domains/{host}"): "domain.change",
    ("GET", PLACE + "/routing"): "domain.read",
    ("PATCH", PLACE + "/routing"): "routing.change",
    ("PUT", PLACE + "/maintenance"): "routing.change",
    ("PUT", PLACE + "/protection"): "routing.change",
    ("GET", "/v1/platform/schedules"): "platform.read",
    ("GET", "/v1/platform/schedules/{schedule}/runs"): "platform.read",
    ("POST", "/v1/platform/schedules/{schedule}/runs"): "platform.change",
    ("GET", PLACE + "/schedules"): "schedule.read",
    ("POST", PLACE + "/schedules"): "schedule.change",
    ("GET", PLACE + "/schedules/{schedule}"): "schedule.read",
    ("PATCH", PLACE + "/schedules/{schedule}"): "schedule.change",
    ("DELETE", PLACE + "/schedules/{schedule}"): "schedule.change",
    ("GET", PLACE + "/schedules/{schedule}/runs"): "schedule.read",
    ("POST", PLACE + "/schedules/{schedule}/runs"): "schedule.run",
    ("GET", PLACE + "/volumes"): "volume.read",
    ("POST", PLACE + "/volumes"): "volume.change",
    ("GET", VOLUME): "volume.read",
    ("DELETE", VOLUME): "volume.destroy",
    ("GET", VOLUME + "/files"): "volume.data",
    ("PUT", VOLUME + "/files"): "volume.data",
    ("POST", VOLUME + "/snapshots"): "volume.data",
    ("POST", VOLUME + "/snapshots/{snapshot}/restore"): "volume.restore",
    ("POST", PLACE + "/runs"): "run.create",
    ("GET", PLACE + "/runs/{run}"): "run.create",
}
SOCKETS = {
    PLACE + "/runs/{run}/attach": "run.create",
    PLACE + "/instances/{instance}/exec": "exec.create",
}
OPEN = {
    ("GET", "/v1/health"),
    ("GET", "/v1/docs"),
    ("GET", "/v1/docs/{name}"),
    ("GET", "/v1/openapi.json"),
    ("GET", "/v1/problems/{code}"),
}
BY_SECRET = {  # who knows the secret may: nobody has to be signed in
    ("POST", "/v1/sessions"),
    ("POST", "/v1/logins"),
    ("POST", "/v1/logins/{code}/token"),
    ("GET", "/v1/resets/{code}"),
    ("POST", "/v1/resets/{code}"),
    ("GET", "/v1/invitations/{code}"),
    ("POST", "/v1/invitations/{code}/accept"),
}
BODIES = {
    ("PATCH", "/v1/me"): {},
    ("PATCH", "/v1/people/{person}"): {"administrator": False},
    ("POST", "/v1/teams"): {"name": "green"},
    ("PATCH", TEAM): {"name": "blue"},
    ("PATCH", TEAM + "/members/{person}"): {"employer": "ACME"},
    ("POST", TEAM + "/invitations"): {"role": "viewer"},
    ("POST", APP + "/transfer"): {"team": "yellow"},
    ("POST", "/v1/tokens"): {},
    ("POST", "/v1/apps"): {"name": "blog"},
    ("POST", "/v1/audit/verify"): {},
    ("PATCH", "/v1/teams/{team}/quotas"): {},
    ("POST", "/v1/audit/restart"): {"why": "Power cut."},
    ("PATCH", APP): {"name": "shop"},
    ("POST", APP + "/detect"): {"files": []},
    ("POST", APP + "/environments"): {"name": "staging"},
    ("POST", PLACE + "/releases"): {"source": "0" * 64},
    ("POST", PLACE + "/rollback"): {},
    ("PUT", PLACE + "/scale"): {"processes": {"web": 2}},
    ("PATCH", PLACE + "/config"): {"set": {}},
    ("POST", PLACE + "/domains"): {"host": "shop.example"},
    ("PATCH", PLACE + "/routing"): {},
    ("POST", PLACE + "/schedules"): {"name": "a", "schedule": "@daily", "command": "x"},
    ("PATCH", PLACE + "/schedules/{schedule}"): {},
    ("POST", PLACE + "/schedules/{schedule}/runs"): None,
    ("POST", "/v1/platform/schedules/{schedule}/runs"): None,
    ("PUT", PLACE + "/maintenance"): {"on": True},
    ("PUT", PLACE + "/protection"): {},
    ("POST", PLACE + "/volumes"): {"name": "data", "mount": "/data", "size": 1 << 20},
    ("POST", PLACE + "/runs"): {"argv": ["true"]},
}
STANDINGS = (*ROLES, "administrator", "stranger", None)
LISTS = {  # to strangers, lists are empty
    ("GET", "/v1/apps"),
    ("GET", "/v1/overview"),
    ("GET", "/v1/audit"),
    ("GET", "/v1/operations"),
}
FOR_ADMINISTRATORS = {  # nobody else's, and no secret that it is there
    ("POST", "/v1/audit/verify"),
    ("POST", "/v1/audit/restart"),
    ("PATCH", "/v1/teams/{team}/quotas"),
    ("POST", "/v1/platform/schedules/{schedule}/runs"),
    ("PUT", "/v1/platform/accepted/{risk}"),
    ("DELETE", "/v1/platform/accepted/{risk}"),
    ("GET", "/v1/platform/doctor"),
    ("GET", "/v1/platform/work"),
    ("GET", "/v1/people"),
    ("GET", "/v1/people/{person}"),
    ("PATCH", "/v1/people/{person}"),
    ("DELETE", "/v1/people/{person}"),
    ("POST", "/v1/people/{person}/reset"),
    ("POST", "/v1/teams"),
}
TO_WHOM_IT_IS_OFFERED = {("POST", APP + "/transfer/accept")}  # to everyone else it is not there
FOR_NEW_APPS = {  # whoever may make apps in a team of their own may ask
    ("POST", "/v1/apps"),
    ("POST", APP + "/detect"),
}
ENDLESS = {("GET", PLACE + "/logs/follow")}
WORDS = {
    "app": "shop", "environment": "production", "token": "tok_none", "number": "1", "other": "2",
    "name": "KEY", "host": "shop.example", "volume": "data", "run": "run_1", "instance": "ins_1",
    "snapshot": "20260101T000000Z",
    "risk": "tcp-open", "session": "ses_none", "code": "BCDF-GHJK", "person": "per_none",
    "team": "blue", "invitation": "inv_none", "schedule": "nightly",
}  # fmt: skip


@pytest.fixture(scope="module")
def platform(shared_ground):
    runtime.use(shared_ground.home, MemoryEngine(shared_ground.home))
    return shared_ground


@pytest.fixture(scope="module")
def tokens(platform):
    return {standing: platform.person(standing) for standing in STANDINGS}


@pytest.fixture(scope="module")
def operation(platform):
    """An operation of team blue that is over, so that following it comes to an end."""
    with platform.writing() as uow:
        made = operations.start(uow, "none", subject="-", lock="-", team=platform.blue)
        store.update(uow, made, state="done", settled=True)
    return made.id


def routes_of(app):
    found, sockets = set(), set()
    for route in iter_route_contexts(app.routes):
        if route.methods is None:
            sockets.add(route.path)
        for method in (route.methods or set()) - {"HEAD"}:
            found.add((method, route.path))
    return found, sockets


def is_allowed(standing, permission):
    role = standing if standing in ROLES else None
    return may(role, permission, administrator=standing == "administrator")


def test_every_route_is_in_the_table(platform):
    found, _ = routes_of(platform.app)
    assert found == set(NEEDS) | OPEN | BY_SECRET
    assert {each for each in NEEDS if each[0] in ("POST", "PUT", "PATCH")} >= set(BODIES)


def test_every_permission_is_needed_somewhere():
    kept_for_later = {"app_token.create", "app_token.revoke"}
    assert {*NEEDS.values(), *SOCKETS.values()} == set(PERMISSIONS) - kept_for_later


@pytest.mark.parametrize("standing", STANDINGS, ids=str)
@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
def test_a_role_may_do_what_the_table_gives_and_nothing_else(
    platform, tokens, operation, route, standing
):
    method, path = route
    allowed = is_allowed(standing, NEEDS[route])
    if route in ENDLESS and allowed:
        return
    address = path.format(**WORDS, operation=operation)
    http = platform.http(tokens[standing])
    status = http.request(method, address, json=BODIES.get(route)).status_code
    if allowed:
        assert status not in (401, 403)
    elif route in LISTS:
        assert status == 200
    elif route in FOR_ADMINISTRATORS:
        assert status == 403
    elif route in TO_WHOM_IT_IS_OFFERED:
        assert status == 404
    elif standing in ROLES or (route in FOR_NEW_APPS and standing is None):
        assert status == 403
    elif route in FOR_NEW_APPS:
        assert status != 403
    else:
        assert status == 404


@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
def test_without_a_token_every_door_is_locked(platform, operation, route):
    method, path = route
    address = path.format(**WORDS, operation=operation)
    answer = platform.http("none").request(method, address, json=BODIES.get(route))
    assert answer.status_code == 401


@pytest.mark.parametrize("route", sorted(OPEN), ids=" ".join)
def test_what_is_open_says_nothing_of_anybody(platform, route):
    _, path = route
    answer = platform.http("").get(path.format(name="docs.js", code="AppNotFound"))
    assert answer.status_code == 200
    assert platform.blue not in answer.text


@pytest.mark.parametrize("standing", ["viewer", "stranger", None, "nobody"], ids=str)
@pytest.mark.parametrize("path", SOCKETS)
def test_a_terminal_opens_for_nobody_who_may_not(platform, tokens, path, standing):
    http = platform.http(tokens.get(standing, "none"))
    with pytest.raises(WebSocketDisconnect), http.websocket_connect(path.format(**WORDS)):
        pass
