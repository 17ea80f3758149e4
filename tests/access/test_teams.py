"""Teams: coming and going, invitations, tokens of one app, apps that change hands."""

import threading
from datetime import timedelta

import pytest

from perron import access, catalog
from perron.kit import clock

from .conftest import PASSWORD


@pytest.fixture
def red(ground):
    """The owner of the other team."""
    return ground.http(ground.person("stranger", name="Rhea"))


@pytest.fixture
def blue(ground):
    """The owner of team blue, whose app is shop."""
    return ground.http()


def code_of(made):
    return made["path"].rpartition("/")[2]


def offer(blue, **more):
    return blue.post("/v1/teams/blue/invitations", json={"role": "developer", **more}).json()


def account(handle):
    return {"handle": handle, "name": handle, "password": "correct horse battery"}


def test_an_invitation_says_what_it_offers_and_lets_one_in(ground, blue):
    made = offer(blue, employer="ACME", note="for Sam")
    page = f"/v1/invitations/{code_of(made)}"
    shown = ground.http("").get(page).json()
    assert (shown["team"], shown["role"], shown["employer"], shown["by"]) == (
        "blue", "developer", "ACME", "Ada",
    )  # fmt: skip
    assert "for Sam" not in str(shown)
    assert ground.http("").post(f"{page}/accept", json=account("sam")).status_code == 201
    late = ground.http("").post(f"{page}/accept", json=account("eve"))
    assert (late.status_code, late.json()["type"]) == (409, "/v1/problems/InvitationTaken")
    listed = blue.get("/v1/teams/blue/invitations").json()
    assert [(each["state"], each["used_by"]["handle"], each["note"]) for each in listed] == [
        ("used", "sam", "for Sam")
    ]
    joined = ground.events("perron.member.joined.v1")[-1]["data"]
    assert (joined["role"], joined["employer"]) == ("developer", "ACME")
    assert code_of(made) not in str(listed)


def test_of_two_who_accept_at_once_one_wins_and_no_account_is_left_of_the_other(ground, blue):
    page = f"/v1/invitations/{code_of(offer(blue))}/accept"
    answers = {}

    def accept(handle):
        answers[handle] = ground.http("").post(page, json=account(handle)).status_code

    threads = [threading.Thread(target=accept, args=[f"sam-{n}"]) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(answers.values()) == [201, 409, 409, 409]
    handles = {each["person"]["handle"] for each in blue.get("/v1/teams/blue/members").json()}
    assert len([each for each in handles if each.startswith("sam-")]) == 1
    loser = next(handle for handle, status in answers.items() if status == 409)
    again = ground.http("").post(
        f"/v1/invitations/{code_of(offer(blue))}/accept", json=account(loser)
    )
    assert again.status_code == 201  # their handle was not taken by the try that lost


def test_who_is_signed_in_accepts_as_who_they_are_and_not_twice(blue, red):
    page = f"/v1/invitations/{code_of(offer(blue))}/accept"
    assert red.post(page, json={}).json()["session"] is None
    assert red.get("/v1/me").json()["teams"] == {"red": "owner", "blue": "developer"}
    again = red.post(f"/v1/invitations/{code_of(offer(blue))}/accept", json={})
    assert again.json()["type"] == "/v1/problems/MemberAlready"


def test_an_invitation_ends_by_being_revoked_or_after_a_week(ground, blue, monkeypatch):
    one, two = offer(blue), offer(blue)
    for _ in range(2):
        assert blue.delete(f"/v1/teams/blue/invitations/{one['id']}").status_code == 204
    assert ground.http("").get(f"/v1/invitations/{code_of(one)}").status_code == 404
    week = clock.now() + timedelta(days=7, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: week)
    assert ground.http("").get(f"/v1/invitations/{code_of(two)}").status_code == 404
    states = [each["state"] for each in blue.get("/v1/teams/blue/invitations").json()]
    assert states == ["expired", "revoked"]


@pytest.mark.parametrize(
    "wrong", [{}, {"handle": "sam"}, account("Sam"), account("9"), account("ada")]
)
def test_an_account_that_cannot_be_made_uses_no_invitation_up(ground, blue, wrong):
    page = f"/v1/invitations/{code_of(offer(blue))}"
    assert ground.http("").post(f"{page}/accept", json=wrong).status_code in (409, 422)
    assert ground.http("").get(page).status_code == 200


def test_who_is_taken_out_of_a_team_is_out_at_once(ground, blue, invite):
    made = invite("sam")
    sam = ground.http(made["secret"])
    own = ground.http(sam.post("/v1/tokens", json={}).json()["token"])
    key = sam.post("/v1/tokens", json={"app": "shop", "role": "viewer"}).json()["token"]
    for each in (sam, own, ground.http(key)):
        assert each.get("/v1/apps/shop").status_code == 200
    assert blue.delete("/v1/teams/blue/members/sam").status_code == 204
    assert sam.get("/v1/apps/shop").status_code == 401
    assert ground.http(key).get("/v1/apps/shop").status_code == 401
    assert own.get("/v1/apps/shop").status_code == 404
    assert own.get("/v1/me").json()["teams"] == {}


def test_who_leaves_stays_signed_in_where_they_said_so_alone(ground, invite, sign_in):
    here, there = invite("sam")["secret"], sign_in("sam").json()["secret"]
    assert ground.http(here).delete("/v1/teams/blue/members/me").status_code == 204
    assert ground.http(here).get("/v1/me").json()["teams"] == {}
    assert ground.http(there).get("/v1/me").status_code == 401


def test_the_last_owner_neither_goes_nor_becomes_less(ground, blue):
    for answer in (
        blue.delete("/v1/teams/blue/members/me"),
        blue.patch("/v1/teams/blue/members/me", json={"role": "viewer"}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "/v1/problems/LastOwner")
    ground.person("owner")
    assert blue.patch("/v1/teams/blue/members/me", json={"role": "viewer"}).status_code == 200


def test_a_role_and_an_employer_are_changed_and_both_are_told_with_what_was(ground, blue, invite):
    invite("sam", employer="ACME")
    changed = blue.patch(
        "/v1/teams/blue/members/sam", json={"role": "viewer", "employer": ""}
    ).json()
    assert (changed["role"], changed["employer"]) == ("viewer", None)
    told = ground.events("perron.member.changed.v1")[-1]["data"]
    del told["person"]
    assert told == {"role_before": "developer", "role": "viewer", "employer_before": "ACME",
                    "employer": None}  # fmt: skip


def test_administrators_found_teams_and_a_setting_lets_everybody(ground, red, monkeypatch):
    assert red.post("/v1/teams", json={"name": "green"}).status_code == 403
    monkeypatch.setenv("PERRON_TEAMS_BY", "everyone")
    assert red.post("/v1/teams", json={"name": "green"}).json()["role"] == "owner"
    taken = red.post("/v1/teams", json={"name": "blue"})
    assert (taken.status_code, taken.json()["detail"]) == (
        409, "The name 'blue' is taken; choose another one.",
    )  # fmt: skip


def test_a_team_ends_when_it_has_no_apps(ground, blue, red):
    refused = blue.delete("/v1/teams/blue")
    assert (refused.status_code, refused.json()["apps"]) == (409, 1)
    assert red.delete("/v1/teams/red").status_code == 204
    assert red.get("/v1/me").json()["teams"] == {}
    assert ground.events("perron.team.removed.v1")[-1]["data"] == {"name": "red"}


def test_who_deletes_a_team_stays_signed_in_and_the_others_do_not(ground, invite):
    owner = invite("olga", role="owner")
    team = ground.http(owner["secret"])
    made = ground.http(ground.root).post("/v1/teams", json={"name": "green"})
    assert made.status_code == 201
    for handle in ("olga", "kim"):
        link = ground.http(ground.root).post("/v1/teams/green/invitations", json={"role": "owner"})
        code = link.json()["path"].rpartition("/")[2]
        account = {"handle": handle, "name": handle, "password": PASSWORD}
        http, said = (team, {}) if handle == "olga" else (ground.http(""), account)
        answer = http.post(f"/v1/invitations/{code}/accept", json=said)
        assert answer.status_code == 201, answer.text
    kim = answer.json()["session"]["secret"]
    assert team.delete("/v1/teams/green").status_code == 204
    assert team.get("/v1/me").status_code == 200
    assert ground.http(kim).get("/v1/me").status_code == 401


def test_a_token_of_one_app_reaches_that_app_alone_and_no_more_than_its_role(ground, blue):
    with ground.writing() as uow:
        catalog.add_app(uow, "blog", team=ground.blue)
    made = blue.post("/v1/tokens", json={"app": "shop", "role": "viewer", "name": "ci"}).json()
    key = ground.http(made["token"])
    assert [each["name"] for each in key.get("/v1/apps").json()["items"]] == ["shop"]
    assert key.get("/v1/apps/shop/environments").status_code == 200
    assert key.get("/v1/apps/blog").status_code == 404
    assert key.patch("/v1/apps/shop", json={"name": "store"}).status_code == 403
    me = key.get("/v1/me").json()
    assert (me["app"], me["teams"], me["administrator"]) == (ground.shop.id, {}, False)
    for method, path in (("POST", "/v1/tokens"), ("GET", "/v1/tokens"), ("PATCH", "/v1/me"),
                         ("POST", "/v1/login-links"), ("GET", "/v1/sessions")):  # fmt: skip
        assert key.request(method, path, json={}).status_code == 403
    assert key.post("/v1/apps", json={"name": "mine"}).status_code == 403
    assert key.get("/v1/teams").json() == []
    assert key.get("/v1/teams/blue").status_code == 404
    opened = ground.http("").post("/v1/sessions", json={"token": made["token"]})
    assert opened.status_code == 403


def test_a_token_can_do_no_more_than_who_makes_it(ground, blue):
    viewer = ground.http(ground.person("viewer"))
    high = viewer.post("/v1/tokens", json={"app": "shop", "role": "developer"})
    assert high.json()["type"] == "/v1/problems/RoleTooHigh"
    assert viewer.post("/v1/tokens", json={"app": "shop", "role": "viewer"}).status_code == 201
    for wrong in ({"app": "shop"}, {"role": "viewer"}, {"app": "shop", "role": "king"}):
        assert viewer.post("/v1/tokens", json=wrong).status_code == 422
    assert viewer.post("/v1/tokens", json={"app": "none", "role": "viewer"}).status_code == 404


def test_a_role_that_shrinks_shrinks_the_tokens(ground, blue, invite):
    sam = ground.http(invite("sam")["secret"])
    made = sam.post("/v1/tokens", json={"app": "shop", "role": "developer"}).json()
    key = ground.http(made["token"])
    assert key.patch("/v1/apps/shop", json={"name": "shop"}).status_code == 200
    blue.patch("/v1/teams/blue/members/sam", json={"role": "viewer"})
    assert key.patch("/v1/apps/shop", json={"name": "shop"}).status_code == 403


def test_owners_see_and_revoke_the_tokens_of_their_apps(ground, blue, red, invite):
    sam = ground.http(invite("sam")["secret"])
    made = sam.post("/v1/tokens", json={"app": "shop", "role": "viewer"}).json()
    for path in ("/v1/apps/shop/tokens", "/v1/teams/blue/tokens"):
        listed = blue.get(path).json()
        assert [(each["person"]["handle"], each["app"]) for each in listed] == [("sam", "shop")]
        assert made["token"] not in str(listed)
        assert sam.get(path).status_code == 403
    assert red.delete(f"/v1/tokens/{made['id']}").status_code == 404
    assert blue.delete(f"/v1/tokens/{made['id']}").status_code == 204
    assert ground.http(made["token"]).get("/v1/apps/shop").status_code == 401


def test_an_app_changes_hands_when_owners_of_both_teams_agree(ground, blue, red):
    with ground.writing() as uow:
        from perron import operations

        place = catalog.environments_of(uow, ground.shop)[0].place
        done = operations.start(uow, "none", subject="-", lock="-", team=ground.blue, place=place)
    key = blue.post("/v1/tokens", json={"app": "shop", "role": "viewer"}).json()["token"]
    environment = blue.get("/v1/apps/shop").json()["environments"][0]["id"]
    assert red.post("/v1/apps/shop/transfer/accept").status_code == 404
    asked = blue.post("/v1/apps/shop/transfer", json={"team": "red"})
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    assert [each["app"] for each in red.get("/v1/teams/red/transfers").json()] == ["shop"]
    assert red.get("/v1/apps/shop").status_code == 404
    assert red.post("/v1/apps/shop/transfer/accept").json()["state"] == "accepted"
    assert red.get("/v1/apps/shop").json()["environments"][0]["id"] == environment
    assert blue.get("/v1/apps/shop").status_code == 404
    assert red.get(f"/v1/operations/{done.id}").status_code == 200
    assert blue.get(f"/v1/operations/{done.id}").status_code == 404
    assert ground.http(key).get("/v1/apps/shop").status_code == 401
    told = ground.events("perron.app.transferred.v1")
    assert {each["team"] for each in told} == {ground.blue, ground.red}


def test_who_owns_both_teams_moves_an_app_at_once(ground, blue):
    with ground.writing() as uow:
        access.join(uow, ground.ada, team=ground.red, role="owner")
    moved = blue.post("/v1/apps/shop/transfer", json={"team": "red"})
    assert (moved.status_code, moved.json()["state"]) == (200, "accepted")
    assert blue.get("/v1/apps/shop").json()["team"] == "red"


def test_an_offer_is_withdrawn_by_owners_of_either_team(blue, red):
    for who in (blue, red):
        blue.post("/v1/apps/shop/transfer", json={"team": "red"})
        assert who.delete("/v1/apps/shop/transfer").status_code == 204
        assert red.post("/v1/apps/shop/transfer/accept").status_code == 404
    assert blue.get("/v1/apps/shop/transfer").status_code == 404


def test_whether_a_team_is_there_is_told_to_nobody_who_offers_it_an_app(blue):
    there = blue.post("/v1/apps/shop/transfer", json={"team": "red"})
    nowhere = blue.post("/v1/apps/shop/transfer", json={"team": "nowhere"})
    assert there.status_code == nowhere.status_code == 202
    assert there.json()["before"] == nowhere.json()["before"]
    assert blue.post("/v1/apps/shop/transfer", json={"team": "blue"}).status_code == 409


def test_no_developer_gives_an_app_away_and_none_takes_one(ground, blue):
    developer = ground.http(ground.person("developer"))
    assert developer.post("/v1/apps/shop/transfer", json={"team": "red"}).status_code == 403
    blue.post("/v1/apps/shop/transfer", json={"team": "red"})
    with ground.writing() as uow:
        lee = access.add_person(uow, "Lee")
        access.join(uow, lee, team=ground.red, role="developer")
        token = access.issue_token(uow, lee)
    assert ground.http(token).post("/v1/apps/shop/transfer/accept").status_code == 403
