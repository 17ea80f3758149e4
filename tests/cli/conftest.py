"""A small real server that speaks the contract, and a person who types."""

import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

NOW = "2026-11-21T10:23:41+00:00"
SECRET = "hunter2hunter2"
BIN = Path(sys.executable).parent


def problem(status, code, detail, **facts):
    return status, {"type": f"/v1/problems/{code}", "title": code, "status": status,
                    "detail": detail} | facts  # fmt: skip


def release_of(number, state="live", **more):
    return {
        "number": number, "state": state, "asked": NOW, "live": NOW, "by": "usr_1",
        "by_name": "lin", "id": f"rel_{number}", "operation": f"op_{number}", "kind": "deploy",
        "build": f"b{number}", "source": f"s{number}", "config": "c1", "config_keys": ["TOKEN"],
        "processes": {"web": "python app.py"}, "provenance": {}, "rolled_back_to": None,
        "reason": None, "requests": 171, "lost": {}, "url": "http://shop.localhost:8080/",
    } | more  # fmt: skip


@dataclass
class World:
    """What the server knows and was told; tests set it up and look at it."""

    apps: list = field(default_factory=lambda: ["shop"])
    owner: dict = field(default_factory=dict)
    releases: list = field(default_factory=lambda: [release_of(1)])
    entries: dict = field(default_factory=lambda: {"TOKEN": (SECRET, True)})
    ending: str = "done"
    reason: str | None = None
    events: list = field(default_factory=list)
    hang: bool = False
    refuse: dict = field(default_factory=dict)
    heard: list = field(default_factory=list)
    bodies: list = field(default_factory=list)
    lines: list = field(default_factory=list)

    def named(self, method, path):
        return [each for each in self.heard if each[0] == method and each[1] == path]

    def body_of(self, method, path):
        return next(b for m, p, b in reversed(self.bodies) if (m, p) == (method, path))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World

    def log_message(self, *_given):
        pass

    def address_string(self):
        return "here"

    def do_GET(self):
        self.answer()

    def answer(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        path, _, query = self.path.partition("?")
        self.world.heard.append((self.command, path, query, dict(self.headers)))
        body = json.loads(raw) if raw[:1] in (b"{", b"[") else raw
        self.world.bodies.append((self.command, path, body))
        if path.endswith("/events"):
            self.stream()
            return
        if self.headers.get("authorization") != "Bearer good":
            self.reply(*problem(401, "NotSignedIn", "The token is not known."))
            return
        status, document = self.document(path, query, body)
        self.reply(status, document)

    def document(self, path, query, body):
        world = self.world
        if (self.command, path) in world.refuse:
            return world.refuse[self.command, path]
        for method, pattern, act in ROUTES:
            if method == self.command and (match := re.fullmatch(pattern, path)):
                app = match.groupdict().get("app")
                if app and app not in world.apps:
                    return problem(404, "AppNotFound", f"There is no app {app!r}.", app=app)
                return act(world, match, body, query)
        return problem(404, "NotFound", f"There is nothing at {path}.")

    def reply(self, status, document):
        data = b"" if document is None else json.dumps(document).encode()
        kind = "application/problem+json" if status >= 400 else "application/json"
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.send_header("x-request-id", "req-1")
        self.end_headers()
        self.wfile.write(data)

    def stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        ended = ("state", {"state": self.world.ending, "reason": self.world.reason})
        for number, (name, data) in enumerate([*self.world.events, ended], 1):
            if name == "state" and self.world.hang:
                self.wfile.flush()
                threading.Event().wait(20)
            text = f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
            self.wfile.write(text.encode())
        self.close_connection = True


for method in ("POST", "PUT", "PATCH", "DELETE"):
    setattr(Handler, f"do_{method}", Handler.do_GET)


def page(items):
    return 200, {"items": items, "next": None}


def app_view(name):
    return {"id": f"app_{name}", "name": name, "team": "main", "created": NOW,
            "environments": [environment(name, "production")]}  # fmt: skip


def environment(app, name):
    return {"id": f"env_{name}", "name": name, "state": "healthy",
            "url": f"http://{app}.localhost:8080/", "hosts": [f"{app}.localhost"],
            "release": release_of(1), "deploying": None, "instances": 1, "healthy": 1,
            "needs": ""}  # fmt: skip


def deploy(world, _match, body, _query):
    number = len(world.releases) + 1
    made = release_of(number, "asked", lost={}, provenance=body.get("provenance") or {})
    world.releases.insert(0, made)
    return 202, made


def create_app(world, _match, body, _query):
    world.apps.append(body["name"])
    world.owner[body["name"]] = body.get("team")
    world.releases.clear()
    return 201, app_view(body["name"])


def show_release(world, match, _body, _query):
    for each in world.releases:
        if each["number"] == int(match["number"]):
            return 200, each
    return problem(404, "ReleaseNotFound", f"There is no release {match['number']}.")


def config_view(world):
    return {"digest": "d1", "entries": [
        {"name": name, "value": "••••" if secret else value, "secret": secret, "build": False,
         "changed": NOW, "by": "lin"} for name, (value, secret) in world.entries.items()
    ]}  # fmt: skip


def change_config(world, _match, body, _query):
    for name, each in body.get("set", {}).items():
        world.entries[name] = (each["value"], each["secret"])
    for name in body.get("unset", []):
        world.entries.pop(name, None)
    return 200, {"config": config_view(world), "operation": None, "release": None}


def logs(world, _match, _body, query):
    lines = world.lines if "after=" not in query else []
    return 200, {"lines": lines, "next": "end"}


def instance(name, state="healthy", **more):
    return {"id": f"ins_{name}", "name": name, "process": "web", "release": 1, "state": state,
            "since": NOW, "started": NOW, "restarts": 0, "last_exit": None, "last_exit_at": None,
            "in_rotation": True, "memory": 40 << 20, "memory_limit": 512 << 20, "cpu": None,
            "message": "", "limits": {"memory": "enforced"}} | more  # fmt: skip


A = "/v1/apps/(?P<app>[^/]+)"
E = A + "/environments/(?P<env>[^/]+)"
DETECTED = {"detected": "python", "reason": "requirements.txt", "notes": [], "steps": ["uv sync"],
            "wants": [], "processes": {"web": "gunicorn app"}, "release_command": None}  # fmt: skip
ROUTES = [
    ("GET", "/v1/me", lambda w, m, b, q: (200, {"id": "usr_1", "name": "lin",
     "administrator": True, "teams": {"main": "owner"}})),
    ("GET", "/v1/apps", lambda w, m, b, q: page([app_view(each) for each in w.apps])),
    ("POST", "/v1/apps", create_app),
    ("GET", A, lambda w, m, b, q: (200, app_view(m["app"]))),
    ("DELETE", A, lambda w, m, b, q: (202, {"id": "op_9", "work": "releases.destroy"})),
    ("PUT", A + "/sources", lambda w, m, b, q: (200, {"digest": "s9", "size": len(b), "files": 1})),
    ("POST", A + "/detect", lambda w, m, b, q: (200, DETECTED | {
        "wants": [each for each in ["requirements.txt"] if each not in b["contents"]]})),
    ("GET", E, lambda w, m, b, q: (200, environment(m["app"], m["env"]))),
    ("GET", E + "/releases", lambda w, m, b, q: page(w.releases)),
    ("POST", E + "/releases", deploy),
    ("POST", E + "/rollback", deploy),
    ("GET", E + "/releases/(?P<number>[0-9]+)", show_release),
    ("GET", E + "/releases/[0-9]+/diff/[0-9]+", lambda w, m, b, q: (200, {
        "before": 1, "after": 2, "build": ["b1", "b2"], "processes": {}, "config_added": [],
        "config_removed": ["CARD_RETRIES"], "config_changed": [], "commits": None,
        "settings": {}})),
    ("GET", E + "/config", lambda w, m, b, q: (200, config_view(w))),
    ("PATCH", E + "/config", change_config),
    ("POST", E + "/config/(?P<name>[^/]+)/reveal", lambda w, m, b, q: (200, {
        "name": m["name"], "value": w.entries[m["name"]][0]})),
    ("GET", E + "/logs", logs),
    ("GET", E + "/instances", lambda w, m, b, q: page([
        instance("web.1"), instance("web.2", "crashed", memory=None, message="Crash loop; x",
                                    last_exit="out of memory", last_exit_at=NOW)])),
    ("GET", E + "/scale", lambda w, m, b, q: (200, {"processes": {"web": 2}})),
    ("PUT", E + "/scale", lambda w, m, b, q: (202, b)),
]  # fmt: skip


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 50


@dataclass
class Person:
    """Types commands in a folder of their own."""

    home: Path
    socket: Path
    world: World
    environment: dict

    def perron(self, *words, cwd=None, input="", environment=None, timeout=40):
        return subprocess.run(
            [str(BIN / "perron"), *words], cwd=cwd or self.home, input=input, text=True,
            env=self.environment | (environment or {}), capture_output=True, timeout=timeout,
            check=False,
        )  # fmt: skip

    def folder(self, name="hello", **files):
        made = self.home / name
        made.mkdir(parents=True, exist_ok=True)
        for path, text in (files or {"Procfile": "web: python app.py\n"}).items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_text(text)
        return made


@pytest.fixture
def person():
    home = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    world = World()
    handler = type("Bound", (Handler,), {"world": world})
    server = Server(str(home / "api.sock"), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC",
        "PERRON_URL": f"unix://{home}/api.sock", "PERRON_TOKEN": "good",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    yield Person(home, home / "api.sock", world, environment)
    server.shutdown()
    server.server_close()
    shutil.rmtree(home)
