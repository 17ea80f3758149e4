"""People: who they are, their passwords, and what is left of them."""

import pytest
from sqlalchemy import select

from perron import access
from perron.access import store
from perron.access.model.people import handle_for
from perron.kit import origins

from .conftest import PASSWORD


def patch(ground, secret, **change):
    return ground.http(secret).patch("/v1/me", json=change)


@pytest.fixture
def root(ground):
    with ground.writing() as uow:
        administrator = store.people.first_administrator(uow)
        return ground.http(access.issue_token(uow, access.Actor(administrator.id)))


@pytest.mark.parametrize(
    ("name", "taken", "handle"),
    [
        ("Ada Lovelace", (), "ada-lovelace"),
        ("root", ("root", "root-2"), "root-3"),
        ("42", (), "p-42"),
        ("Ω", (), "p"),
        ("a" * 60, ("a" * 28,), "a" * 26 + "-2"),
        ("x.y_z", (), "x-y-z"),
    ],
)
def test_a_handle_is_made_of_a_name_and_is_ones_own(name, taken, handle):
    assert handle_for(name, taken) == handle


def test_a_name_and_an_address_are_changed_and_the_event_tells_neither(ground, invite):
    secret = invite()["secret"]
    me = patch(ground, secret, name="Sam Smith", email="sam@example.org").json()
    assert (me["name"], me["email"]) == ("Sam Smith", "sam@example.org")
    assert patch(ground, secret, email="").json()["email"] is None
    changed = ground.events("perron.person.changed.v1")
    assert [each["data"] for each in changed] == [{"fields": ["email", "name"]},
                                                  {"fields": ["email"]}]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "a\nb"}, {"email": "nobody"}, {"password": "short"}, {"handle": "x"},
     {"password": "x" * 201}],
)  # fmt: skip
def test_what_nobody_can_be_called_is_refused(ground, invite, wrong):
    answer = patch(ground, invite()["secret"], **wrong)
    assert answer.status_code == 422
    assert "x" * 201 not in answer.text


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(ground, invite, sign_in):
    here, there = invite()["secret"], sign_in("sam").json()["secret"]
    assert patch(ground, here, password="a better horse").status_code == 403
    assert patch(ground, here, password="a better horse", old_password="no").status_code == 403
    assert patch(ground, here, password="a better horse", old_password=PASSWORD).status_code == 200
    assert ground.http(there).get("/v1/me").status_code == 401
    assert ground.http(here).get("/v1/me").status_code == 200
    assert sign_in("sam").status_code == 401
    assert sign_in("sam", "a better horse").status_code == 201


def test_a_stolen_session_guesses_the_old_password_no_quicker_than_a_stranger(ground, invite):
    secret = invite()["secret"]
    said = [patch(ground, secret, password="a better horse", old_password="no").status_code
            for _ in range(7)]  # fmt: skip
    assert said == [403] * 5 + [429] * 2


@pytest.mark.parametrize("weak", ["aaaaaaaaaaaa", "Sam Samuelson"])
def test_a_password_that_is_too_easy_is_refused(ground, invite, weak):
    secret = invite()["secret"]
    patch(ground, secret, name="Sam Samuelson")
    answer = patch(ground, secret, password=weak, old_password=PASSWORD)
    assert answer.json()["type"].endswith("PasswordWeak")


def test_the_first_administrator_has_no_password_and_sets_one_without_an_old_one(ground, root):
    assert root.get("/v1/me").json()["has_password"] is False
    assert root.patch("/v1/me", json={"password": PASSWORD}).json()["has_password"] is True
    assert root.patch("/v1/me", json={"password": PASSWORD + "!"}).status_code == 403


def test_a_reset_link_sets_a_password_once_and_ends_every_session(ground, root, invite, sign_in):
    secret = invite()["secret"]
    path = root.post("/v1/people/sam/reset").json()["path"]
    page = f"/v1/resets/{path.removeprefix('/reset/')}"
    anybody = ground.http("")
    assert anybody.get(page).json()["person"]["handle"] == "sam"
    opened = anybody.post(page, json={"password": "a better horse"})
    assert opened.status_code == 201
    assert anybody.post(page, json={"password": "a worse horse!"}).status_code == 404
    assert ground.http(secret).get("/v1/me").status_code == 401
    assert ground.http(opened.json()["secret"]).get("/v1/me").status_code == 200
    assert sign_in("sam", "a better horse").status_code == 201
    assert ground.events("perron.password.changed.v1")[-1]["data"] == {"how": "reset"}


def test_administrators_see_everybody_and_make_others_like_them(root, invite):
    invite("sam")
    listed = {each["handle"]: each for each in root.get("/v1/people").json()}
    assert listed["sam"]["teams"] == {"blue": "developer"}
    assert listed["sam"]["last_seen"] is not None
    assert root.patch("/v1/people/sam", json={"administrator": True}).json()["administrator"]
    assert root.patch("/v1/people/sam", json={"administrator": False}).status_code == 200


def test_the_last_administrator_stays(root):
    me = root.get("/v1/me").json()["handle"]
    for answer in (
        root.patch(f"/v1/people/{me}", json={"administrator": False}),
        root.delete(f"/v1/people/{me}"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (
            409, "/v1/problems/LastAdministrator",
        )  # fmt: skip


def test_of_an_erased_person_only_the_id_is_left(ground, root, invite, sign_in):
    made = invite("sam", employer="ACME")
    sam = ground.http(made["secret"])
    sam.patch("/v1/me", json={"name": "Samantha Q", "email": "sam@example.org"})
    token = sam.post("/v1/tokens", json={"name": "samanthas laptop"}).json()["token"]
    id = made["person"]["id"]
    assert root.delete("/v1/people/sam").status_code == 204
    assert ground.http(made["secret"]).get("/v1/me").status_code == 401
    assert ground.http(token).get("/v1/me").status_code == 401
    assert sign_in("sam").status_code == 401
    assert all(each["handle"] != "sam" for each in root.get("/v1/people").json())
    with ground.reading() as uow:
        tables = (store.people.people, store.tokens.tokens, store.sessions.sessions)
        rows = str([uow.connection.execute(select(table)).all() for table in tables])
        assert id in rows
        assert "amantha" not in rows
        assert "sam@example.org" not in rows
        assert access.names_of(uow, [id]) == {}
    left = ground.events("perron.member.left.v1")[-1]["data"]
    assert left == {"person": id, "role": "developer", "employer": "ACME"}
    invite("sam")  # the handle is free again


def test_where_an_erased_person_alone_came_from_is_forgotten(ground, root, invite):
    made = {name: invite(name)["secret"] for name in ("sam", "kim")}
    for name, address in (("sam", "203.0.113.7"), ("sam", "203.0.113.8"), ("kim", "203.0.113.8")):
        http = ground.http(made[name], **{"X-Forwarded-For": address, "User-Agent": f"{name}s"})
        assert http.post("/v1/tokens", json={"name": address}).status_code == 201
    assert root.delete("/v1/people/sam").status_code == 204
    with ground.reading() as uow:
        found = uow.connection.execute(select(origins.origins)).all()
        assert origins.changed(uow) == [], "what was erased was not changed"
    addresses = {each.address for each in found}
    assert "203.0.113.7" not in addresses, "nobody but sam was there"
    assert "203.0.113.8" in addresses, "kim was there, too"


def test_the_last_owner_of_a_team_is_not_erased(ground, root):
    answer = root.delete(f"/v1/people/{ground.ada.id}")
    assert (answer.status_code, answer.json()["type"]) == (409, "/v1/problems/LastOwner")


def test_a_command_line_is_let_in_by_who_compares_the_code(ground, invite):
    secret = invite()["secret"]
    anybody, sam = ground.http(""), ground.http(secret)
    asked = anybody.post("/v1/logins", json={"name": "sams laptop"}).json()
    page = f"/v1/logins/{asked['code']}"
    collect = {"secret": asked["secret"]}
    assert anybody.post(f"{page}/token", json=collect).json()["state"] == "waiting"
    assert sam.get(page).json()["name"] == "sams laptop"
    for _ in range(2):
        assert sam.post(f"{page}/approve").json()["state"] == "approved"
    assert ground.http().post(f"{page}/approve").status_code == 409
    assert anybody.post(f"{page}/token", json={"secret": "guessed"}).status_code == 404
    given = anybody.post(f"{page}/token", json=collect).json()
    assert ground.http(given["token"]).get("/v1/me").json()["handle"] == "sam"
    assert anybody.post(f"{page}/token", json=collect).status_code == 404
    listed = sam.get("/v1/tokens").json()[0]
    assert (listed["name"], listed["id"]) == ("sams laptop", given["token_id"])
    assert ground.events("perron.token.made.v1")[-1]["actor"] == sam.get("/v1/me").json()["id"]


def test_a_command_line_that_was_refused_gets_nothing(ground):
    asked = ground.http("").post("/v1/logins", json={"name": "eve"}).json()
    page = f"/v1/logins/{asked['code']}"
    assert ground.http().delete(page).status_code == 204
    answer = ground.http("").post(f"{page}/token", json={"secret": asked["secret"]})
    assert answer.status_code == 404
