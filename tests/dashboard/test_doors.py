"""Who gets in, whose forms are taken, and what every page says about itself."""

import threading
import time
import tomllib
from pathlib import Path

import httpx
import pytest
import uvicorn

from perron import dashboard
from perron.contract import browsers

HOST = "perron.localhost"
ORIGIN = f"http://{HOST}"


@pytest.fixture
def serving(ground):
    """The platform API and the pages over it, on the home's own socket."""
    ground.home.run.mkdir(parents=True, exist_ok=True)
    options = {"uds": str(ground.home.api_socket), "log_level": "error", "access_log": False}
    server = uvicorn.Server(uvicorn.Config(ground.app, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started and time.monotonic() < end:
        threading.Event().wait(0.02)
    yield ground
    server.should_exit = True
    thread.join(10)


def browser(ground, *, signed_in=True):
    """Somebody's browser; what it sends comes from our own pages."""
    wire = httpx.HTTPTransport(uds=str(ground.home.api_socket))
    made = httpx.Client(transport=wire, base_url=ORIGIN, headers={"Origin": ORIGIN}, timeout=30)
    if signed_in:
        made.cookies.set(browsers.PLAIN_COOKIE, ground.token)
    return made


def form(ground, **fields):
    return {"csrf": browsers.csrf_token(ground.token), **fields}


def test_who_has_not_signed_in_is_led_to_the_login_and_back(serving):
    stranger = browser(serving, signed_in=False)
    answer = stranger.get("/apps/shop?env=staging")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?to=%2Fapps%2Fshop%3Fenv%3Dstaging"
    shown = stranger.post("/login", data={"token": "no-token", "to": "/apps/shop"})
    assert shown.status_code == 401
    assert "no-token" not in shown.text
    let_in = stranger.post("/login", data={"token": serving.token, "to": "/apps/shop"})
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/apps/shop")
    kept = let_in.headers["set-cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=Lax" in kept


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example/", "/\\evil.example", "x"])
def test_a_login_leads_nowhere_but_into_our_pages(serving, to):
    stranger = browser(serving, signed_in=False)
    answer = stranger.post("/login", data={"token": serving.token, "to": to})
    assert answer.headers["location"] == "/"


def test_every_answer_carries_the_policy_and_is_kept_by_nobody(serving):
    person = browser(serving)
    for path in ("/", "/login", "/nowhere", "/apps/shop"):
        answer = person.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "'unsafe-inline'" not in policy.partition("style-src-attr")[0]
        assert answer.headers["cache-control"] == "no-store"
        assert "<script>" not in answer.text
        assert " onclick=" not in answer.text


def test_assets_are_kept_for_good_and_packed(serving):
    person = browser(serving)
    page = person.get("/login").text
    style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = person.get(style)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert person.get("/assets/perron.000000000000.css").status_code == 404
    font = page.partition('rel="preload" href="')[2].partition('"')[0]
    answer = person.get(font)
    assert (answer.headers["content-type"], answer.content[:4]) == ("font/woff2", b"wOF2")
    assert font.rpartition("/")[2] in person.get(style).text, "the page preloads what it uses"


def test_a_built_wheel_has_every_asset():
    root = Path(dashboard.__file__).parents[2]
    told = tomllib.loads((root.parent / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = told["package-data"]["perron"]
    assets = [each for each in (root / "perron").rglob("assets/*") if each.is_file()]
    assert assets
    left = [each.name for each in assets if not any(each.match(pattern) for pattern in patterns)]
    assert left == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://shop.localhost"}, {"Origin": "null"}, {"Origin": "https://perron.localhost"},
     {"Origin": "http://perron.localhost.evil.example"}],
)  # fmt: skip
def test_a_form_from_another_page_is_not_taken(serving, headers):
    answer = browser(serving).post("/apps", data=form(serving, name="stolen"), headers=headers)
    assert answer.status_code == 403
    assert serving.http().get("/v1/apps/stolen").status_code == 404


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_this_sessions_token_is_not_taken(serving, token):
    answer = browser(serving).post("/apps", data={"name": "stolen", "csrf": token})
    assert answer.status_code == 403
    assert serving.http().get("/v1/apps/stolen").status_code == 404


def test_an_app_is_made_by_a_form_and_said_so_once(serving):
    person = browser(serving)
    answer = person.post("/apps", data=form(serving, name="fresh"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/apps/fresh")
    assert "Created fresh." in person.get("/apps/fresh").text
    assert "Created fresh." not in person.get("/apps/fresh").text


def test_a_refused_form_keeps_what_was_typed_and_says_why(serving):
    answer = browser(serving).post("/apps", data=form(serving, name="Not A Name", form="new-app"))
    assert answer.status_code == 422
    assert 'value="Not A Name"' in answer.text
    assert 'role="alert"' in answer.text


def test_a_script_is_told_where_to_go(serving):
    sent = {"X-Perron-Script": "1"}
    answer = browser(serving).post("/apps", data=form(serving, name="fresh"), headers=sent)
    assert (answer.status_code, answer.headers["x-perron-go"]) == (204, "/apps/fresh")


@pytest.mark.parametrize(
    "path", ["/apps/nothing", "/apps/shop/releases/0", "/apps/shop/releases/x", "/apps/shop?env=no",
             "/apps/shop/releases/999999999", "/apps/%00", "/?after=nonsense", "/apps/a%2Fb"],
)  # fmt: skip
def test_what_is_not_there_is_said_in_words(serving, path):
    answer = browser(serving).get(path)
    assert 400 <= answer.status_code < 500
    assert "Traceback" not in answer.text


def test_hostile_text_stays_text(serving):
    hostile = "<script>alert(1)</script>\"'><img src=x>"
    answer = browser(serving).get("/", params={"q": hostile})
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text


def test_a_page_is_followed_from_what_the_browser_has(serving):
    from perron import catalog

    person = browser(serving)
    page = person.get("/").text
    seen = page.partition('data-seen="')[2].partition('"')[0]
    asked = {"Accept": "text/event-stream"}
    with person.stream("GET", "/", params={"_seen": seen}, headers=asked) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        with serving.writing(serving.ada.id) as uow:
            catalog.add_app(uow, "newcomer", team=serving.blue)
        told = next(line for line in lines if "newcomer" in line)
    assert told.startswith("data: ")


def test_a_stream_is_not_given_to_strangers(serving):
    stranger = browser(serving, signed_in=False)
    assert stranger.get("/", headers={"Accept": "text/event-stream"}).status_code == 204


def test_what_belongs_to_another_team_is_not_there(serving):
    other = browser(serving, signed_in=False)
    other.cookies.set(browsers.PLAIN_COOKIE, serving.person("stranger"))
    assert other.get("/apps/shop").status_code == 404
    assert "shop" not in other.get("/").text.partition("<main")[2].partition("</main")[0]
    assert "/apps/shop" not in other.get("/find?q=shop").text


def test_the_palette_finds_pages_and_acts_of_where_one_is(serving):
    found = browser(serving).get("/find", params={"q": "sto", "at": "/apps/shop?env=production"})
    assert "/apps/shop/instances#stop" in found.text
