"""People, teams, tokens, and what they may do."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from perron import access
from perron.access import PERMISSIONS, ROLES, Actor, may, store
from perron.kit import clock
from perron.kit.problems import Forbidden, NotSignedIn


def on_disk(ground, text):
    """Look into the database and its log, where everything written lately still is."""
    files = list(ground.home.path.glob("perron.db*"))
    assert len(files) >= 2
    return any(text.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_an_owner_may_what_a_developer_may_and_a_developer_what_a_viewer_may(permission):
    ladder = [may(role, permission) for role in (None, *ROLES)]
    assert ladder == sorted(ladder)
    assert may(None, permission, administrator=True)


def test_the_first_administrator_owns_team_main_and_asking_again_makes_nobody_new(ground):
    with ground.writing() as uow:
        again = access.bootstrap(uow, name="somebody else")
        people = uow.connection.execute(select(store.people.people.c.name)).scalars().all()
    assert people.count("root") == 1
    assert "somebody else" not in people
    me = ground.http(again).get("/v1/me").json()
    assert (me["name"], me["administrator"], me["teams"]) == ("root", True, {"main": "owner"})


def test_a_token_is_kept_as_a_digest_alone(ground):
    assert ground.token.startswith("perron_")
    assert len(ground.token) >= len("perron_") + 43  # 256 bits
    with ground.reading() as uow:
        rows = uow.connection.execute(select(store.tokens.tokens)).all()
    assert all(ground.token not in str(row) for row in rows)
    assert not on_disk(ground, ground.token)


@pytest.mark.parametrize("token", ["", "perron_wrong", "x" * 5000])
def test_without_a_good_token_nobody_is_in(ground, token):
    answer = ground.http(token).get("/v1/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "perron login" in answer.json()["detail"]


def test_a_token_ends_at_its_time(ground, monkeypatch):
    made = ground.http().post("/v1/tokens", json={"name": "ci", "expires_in": 1}).json()
    assert ground.http(made["token"]).get("/v1/me").status_code == 200
    tomorrow = clock.now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    answer = ground.http(made["token"]).get("/v1/me")
    assert (answer.status_code, "has expired" in answer.text) == (401, True)


def test_a_revoked_token_opens_nothing_and_revoking_twice_is_harmless(ground):
    made = ground.http().post("/v1/tokens", json={"name": "laptop"}).json()
    for _ in range(2):
        assert ground.http().delete(f"/v1/tokens/{made['id']}").status_code == 204
    assert "was revoked" in ground.http(made["token"]).get("/v1/me").json()["detail"]
    revoked = ground.events("perron.token.revoked.v1")
    assert [(each["subject"], each["actor"]) for each in revoked] == [(made["id"], ground.ada.id)]


def test_tokens_are_listed_without_their_text_and_only_ones_own(ground):
    ground.http().post("/v1/tokens", json={"name": "ci"})
    listed = ground.http().get("/v1/tokens")
    assert [(each["name"], each["current"]) for each in listed.json()] == [
        ("", True),
        ("ci", False),
    ]
    assert listed.json()[0]["last_used"] is not None
    assert "perron_" not in listed.text
    other = ground.http(ground.person("owner"))
    mine = listed.json()[1]["id"]
    assert len(other.get("/v1/tokens").json()) == 1
    assert other.delete(f"/v1/tokens/{mine}").status_code == 404


def test_the_text_of_a_token_is_in_no_answer_but_the_first(ground):
    key = {"Idempotency-Key": "once"}
    first = ground.http().post("/v1/tokens", json={"name": "ci"}, headers=key)
    again = ground.http().post("/v1/tokens", json={"name": "ci"}, headers=key)
    assert (first.status_code, first.headers["Cache-Control"]) == (201, "no-store")
    assert (again.status_code, first.json()["token"] in again.text) == (409, False)
    assert not on_disk(ground, first.json()["token"])


def test_absurd_requests_for_tokens_are_refused(ground):
    for wrong in ({"expires_in": -1}, {"expires_in": 10**9}, {"name": "x" * 101}, {"x": 1}):
        assert ground.http().post("/v1/tokens", json=wrong).status_code == 422


def test_joining_and_leaving_are_events_with_role_and_employer_and_no_names(ground):
    with ground.writing() as uow:
        access.leave(uow, ground.ada, team=ground.blue)
    joined = ground.events("perron.member.joined.v1")[-1]
    assert joined["data"] == {"person": ground.ada.id, "role": "owner", "employer": "ACME"}
    assert ground.events("perron.member.left.v1")[0]["team"] == ground.blue
    added = ground.events("perron.person.added.v1")
    assert all("Ada" not in str(each) for each in added)


def test_a_refusal_is_recorded_once_a_minute_though_the_request_is_rolled_back(ground, monkeypatch):
    viewer = ground.http(ground.person("viewer"))
    for _ in range(3):
        answer = viewer.patch("/v1/apps/shop", json={"name": "store"})
        assert answer.status_code == 403
        assert "as viewer" in answer.json()["detail"]
    refused = ground.events("perron.permission.refused.v1")
    assert [each["data"] for each in refused] == [{"permission": "app.rename", "role": "viewer"}]
    assert refused[0]["subject"] == ground.shop.id
    assert refused[0]["actor_kind"] == "person"
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    viewer.patch("/v1/apps/shop", json={"name": "store"})
    assert len(ground.events("perron.permission.refused.v1")) == 2


def test_to_a_stranger_there_is_no_such_app_and_that_is_recorded_too(ground):
    stranger = ground.http(ground.person("stranger"))
    there = stranger.patch("/v1/apps/shop", json={"name": "mine"}).json()
    nowhere = stranger.patch("/v1/apps/other", json={"name": "mine"}).json()
    for answer in (there, nowhere):
        del answer["request_id"], answer["instance"]
        answer["detail"] = answer["detail"].replace("shop", "…").replace("other", "…")
        answer["app"] = "…"
    assert there == nowhere
    assert len(ground.events("perron.permission.refused.v1")) == 1


def test_nobody_is_in_with_an_actor_that_is_not_here(ground):
    with ground.reading() as uow:
        with pytest.raises(NotSignedIn):
            access.get_person(uow, Actor("per_nobody"))
        with pytest.raises(Forbidden):
            access.authorize_platform(uow, Actor("per_nobody"), "platform.change")
        uow.afterwards.clear()


def test_names_are_found_by_id_and_an_id_stands_for_who_is_gone(ground):
    with ground.reading() as uow:
        assert access.name_of(uow, ground.ada.id) == "Ada"
        assert access.name_of(uow, "per_gone") == "per_gone"
        assert access.names_of(uow, [ground.ada.id, "per_gone"]) == {ground.ada.id: "Ada"}
