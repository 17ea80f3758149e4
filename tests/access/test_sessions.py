"""Signing in and out: passwords, links, tokens, cookies."""

import statistics
import threading
import time
from datetime import timedelta

import pytest

from perron.contract import browsers
from perron.kit import clock

from .conftest import PASSWORD


def later(monkeypatch, **by):
    at = clock.now() + timedelta(**by)
    monkeypatch.setattr(clock, "now", lambda: at)


def me(ground, secret):
    return ground.http(secret).get("/v1/me")


def test_a_session_opened_by_password_is_listed_from_where_it_came(ground, invite, sign_in):
    invite("sam")
    made = sign_in("sam", address="203.0.113.9").json()
    assert made["secret"].startswith("perron_s_")
    assert me(ground, made["secret"]).json()["handle"] == "sam"
    listed = ground.http(made["secret"]).get("/v1/sessions").json()
    assert [(each["from"], each["current"]) for each in listed][-1] == ("203.0.113.9", True)
    assert made["secret"] not in str(listed)


def test_a_handle_is_known_however_it_is_typed(invite, sign_in):
    invite("sam")
    assert sign_in(" Sam ").status_code == 201


def test_a_session_ends_after_a_week_of_silence_and_after_thirty_days(ground, invite, monkeypatch):
    secret = invite()["secret"]
    later(monkeypatch, days=7, seconds=1)
    assert "has ended" in me(ground, secret).json()["detail"]


def test_a_session_that_is_used_lives_on_but_no_longer_than_thirty_days(
    ground, invite, monkeypatch
):
    secret = invite()["secret"]
    for _ in range(4):
        later(monkeypatch, days=6)
        assert me(ground, secret).status_code == 200
    later(monkeypatch, days=6, hours=1)
    assert me(ground, secret).status_code == 401


def test_signing_out_ends_the_session_and_twice_is_harmless(ground, invite, sign_in):
    one, two = invite()["secret"], sign_in("sam").json()
    mine = ground.http(one)
    for _ in range(2):
        assert mine.delete(f"/v1/sessions/{two['id']}").status_code == 204
    assert me(ground, two["secret"]).status_code == 401
    assert mine.delete("/v1/sessions/current").status_code == 204
    assert me(ground, one).status_code == 401


def test_nobody_ends_the_session_of_another(ground, invite):
    made = invite()
    assert ground.http().delete(f"/v1/sessions/{made['id']}").status_code == 404
    assert ground.http().delete("/v1/sessions/current").status_code == 404  # a token is none
    assert me(ground, made["secret"]).status_code == 200


def test_a_login_link_opens_one_session_for_its_maker_within_ten_minutes(ground, monkeypatch):
    link = ground.http().post("/v1/login-links").json()
    code = link["path"].removeprefix("/login/")
    opened = ground.http("").post("/v1/sessions", json={"link": code})
    assert opened.status_code == 201
    assert opened.json()["person"]["handle"] == "ada"
    again = ground.http("").post("/v1/sessions", json={"link": code})
    assert (again.status_code, again.json()["type"]) == (404, "/v1/problems/LinkNotFound")
    other = ground.http().post("/v1/login-links").json()["path"].removeprefix("/login/")
    later(monkeypatch, minutes=10, seconds=1)
    assert ground.http("").post("/v1/sessions", json={"link": other}).status_code == 404


def test_a_session_ends_with_the_token_that_opened_it(ground):
    token = ground.http().post("/v1/tokens", json={"name": "laptop"}).json()
    opened = ground.http("").post("/v1/sessions", json={"token": token["token"]}).json()
    link = ground.http(token["token"]).post("/v1/login-links").json()["path"]
    assert me(ground, opened["secret"]).status_code == 200
    ground.http().delete(f"/v1/tokens/{token['id']}")
    assert me(ground, opened["secret"]).status_code == 401
    code = link.removeprefix("/login/")
    assert ground.http("").post("/v1/sessions", json={"link": code}).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"person": "sam"}, {"password": "x"}, {"link": "a", "token": "b"},
        {"person": "sam", "password": "x", "link": "y"}, {"link": "x" * 201}, {"who": "sam"},
    ],
)  # fmt: skip
def test_a_sign_in_that_is_none_is_refused(ground, wrong):
    answer = ground.http("").post("/v1/sessions", json=wrong)
    assert answer.status_code == 422
    assert "xxx" not in answer.text


def test_a_cookie_opens_doors_for_looking_and_none_for_changing(ground, invite):
    secret = invite()["secret"]
    browser = ground.http("", Cookie=f"{browsers.PLAIN_COOKIE}={secret}")
    del browser.headers["authorization"]
    assert browser.get("/v1/me").json()["handle"] == "sam"
    refused = browser.patch("/v1/me", json={"name": "Eve"})
    assert (refused.status_code, refused.json()["type"]) == (403, "/v1/problems/CookieAlone")
    assert browser.post("/v1/tokens", json={}).status_code == 403
    assert me(ground, secret).json()["name"] == "Sam"


def test_a_cookie_counts_for_no_page_of_another_site(ground, invite):
    secret = invite()["secret"]
    browser = ground.http("", Cookie=f"{browsers.PLAIN_COOKIE}={secret}")
    del browser.headers["authorization"]
    for site, status in (("same-origin", 200), ("none", 200), ("same-site", 403),
                         ("cross-site", 403)):  # fmt: skip
        answer = browser.get("/v1/me", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == status


def test_over_https_only_the_cookie_counts_that_no_sibling_host_can_set(ground, invite):
    secret = invite()["secret"]
    plain = ground.http("", Cookie=f"{browsers.PLAIN_COOKIE}={secret}")
    sure = ground.http("", Cookie=f"{browsers.SECURE_COOKIE}={secret}")
    for browser in (plain, sure):
        del browser.headers["authorization"]
        browser.headers["X-Forwarded-Proto"] = "https"
    assert plain.get("/v1/me").status_code == 401
    assert sure.get("/v1/me").status_code == 200


def test_a_session_is_kept_as_a_digest_and_its_events_name_nobody(ground, invite, sign_in):
    invite("sam")
    made = sign_in("sam").json()
    sign_in("sam", "wrong password")
    ground.http(made["secret"]).delete("/v1/sessions/current")
    kept = b"".join(file.read_bytes() for file in ground.home.path.glob("perron.db*"))
    for secret in (made["secret"], PASSWORD):
        assert secret.encode() not in kept
    opened = ground.events("perron.session.opened.v1")[-1]
    assert (opened["subject"], opened["data"]) == (made["id"], {"how": "password"})
    assert opened["actor"] == made["person"]["id"]
    assert ground.events("perron.session.ended.v1")[-1]["data"]["why"] == "asked"
    refused = ground.events("perron.sign_in.refused.v1")
    assert [each["subject"] for each in refused] == [made["person"]["id"]]
    told = str([opened, *refused])
    assert "sam" not in told.lower().replace(made["person"]["id"], "")


def test_who_guesses_waits_longer_and_longer_and_the_account_is_never_locked(
    ground, invite, sign_in, monkeypatch
):
    invite("sam")
    for _ in range(5):
        assert sign_in("sam", "wrong password").status_code == 401
    waits = []
    for _ in range(4):
        refused = sign_in("sam", "wrong password")
        assert refused.status_code == 429
        waits.append(int(refused.headers["Retry-After"]))
        later(monkeypatch, seconds=waits[-1])
        assert sign_in("sam", "wrong password").status_code == 401
    assert waits == [1, 2, 4, 8]
    assert sign_in("sam", address="203.0.113.9").status_code == 201  # the owner, elsewhere
    assert ground.events("perron.sign_in.refused.v1")[-1]["data"] == {"limited": True}


def test_the_right_password_waits_too_so_that_nothing_is_learned(invite, sign_in):
    invite("sam")
    for _ in range(5):
        sign_in("sam", "wrong password")
    assert sign_in("sam").status_code == 429


def test_a_browser_that_signed_in_before_is_kept_from_nothing_by_a_neighbour(invite, sign_in):
    device = invite("sam")["device"]
    for _ in range(6):
        sign_in("sam", "wrong password")
    assert sign_in("sam").status_code == 429
    assert sign_in("sam", device=device).status_code == 201
    assert sign_in("sam", device=device.replace(".", ".0")).status_code == 429
    assert sign_in("sam", device="ø.ø").status_code == 429


def test_a_proof_of_a_browser_guesses_no_quicker_and_ends_with_the_password(
    ground, invite, sign_in
):
    made = invite("sam")
    known = {"device": made["device"]}
    for _ in range(10):
        assert sign_in("sam", "wrong password", **known).status_code == 401
    assert sign_in("sam", "wrong password", **known).status_code == 429
    change = {"password": "another horse", "old_password": PASSWORD}
    assert ground.http(made["secret"]).patch("/v1/me", json=change).status_code == 200
    for _ in range(6):
        sign_in("sam", "wrong password", address="203.0.113.9")
    assert sign_in("sam", "another horse", address="203.0.113.9", **known).status_code == 429


def test_one_address_may_not_try_the_whole_phone_book(sign_in):
    tried = [sign_in(f"nobody-{number}", "wrong password").status_code for number in range(31)]
    assert tried == [401] * 30 + [429]
    assert sign_in("nobody", "wrong password", address="203.0.113.9").status_code == 401


def test_a_restart_forgives_nobody(ground, invite, sign_in):
    from perron.server.app import create_app
    from perron.server.database import prepare

    invite("sam")
    for _ in range(5):
        sign_in("sam", "wrong password")
    ground.database.dispose()
    ground.database = prepare(ground.home)
    ground.app = create_app(ground.database, ground.home, ground.settings)
    assert sign_in("sam", "wrong password").status_code == 429


def test_many_guesses_at_once_are_all_counted(ground, invite, sign_in):
    invite("sam")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(sign_in("sam", "wrong one").status_code))
        for _ in range(12)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers.count(401) <= 5
    assert set(answers) <= {401, 429, 503}


def test_it_takes_as_long_to_refuse_somebody_who_is_not_here(invite, sign_in):
    invite("sam")

    def seconds(person, tries=4):
        taken = []
        for number in range(tries):
            begun = time.perf_counter()
            sign_in(person, "wrong password", address=f"203.0.113.{number}")
            taken.append(time.perf_counter() - begun)
        return statistics.median(taken)

    here, nobody = seconds("sam"), seconds("nobody")
    assert 0.3 < here / nobody < 3
    one, other = sign_in("sam", "wrong password").json(), sign_in("eve", "wrong one").json()
    assert one["detail"] == other["detail"]
