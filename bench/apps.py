"""The list of a thousand apps: how fast its first page comes while others ask too."""

import http.client
import json
import os
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from tools.rig.platform import Platform, platform

from .figure import Figure

MANY = int(os.environ.get("MANY", "1000"))
RATE, SECONDS = 50, 20
PAGE = "/v1/apps?limit=100"
NOTHING = "/v1/nothing-is-here"  # the same way through the server, to an empty answer


class _Line(http.client.HTTPConnection):
    """A connection to the server's own socket, signed in."""

    def __init__(self, here: Platform) -> None:
        super().__init__("perron.localhost")
        self._path = str(here.home / "run" / "api.sock")
        token = json.loads((here.home / "cli.json").read_text())["token"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        self.request(method, path, json.dumps(body) if body else None, self._headers)
        answer = self.getresponse()
        return answer.status, answer.read()


def listing() -> list[Figure]:
    """Ask for the first hundred of a thousand apps, fifty times a second."""
    with platform() as here:
        seed(here)
        status, body = _Line(here).ask("GET", PAGE)
        assert (status, len(json.loads(body)["items"])) == (200, min(MANY, 100))
        page = _asked(here, PAGE, 200)
        nothing = _asked(here, NOTHING, 404)
    values = [_p99(page), _p99(nothing), statistics.median(page), statistics.median(nothing)]
    text = "{:.1f} ms (an empty 404: {:.1f} ms; medians {:.1f}, {:.1f} ms)".format(*values)
    return [Figure(f"GET /v1/apps, 100 of {MANY} apps, {RATE} req/s: p99", "≤ 25 ms", text, values)]


def seed(here: Platform) -> None:
    """Make the apps; nothing runs in them."""
    line = _Line(here)
    for number in range(MANY):
        asked = ("POST", "/v1/apps", {"name": f"app-{number:04}"})
        while (answer := line.ask(*asked))[0] == 503:  # busy: said so, and nothing was changed
            time.sleep(0.1)
        assert answer[0] == 201, answer


def _asked(here: Platform, path: str, expected: int) -> list[float]:
    """Return how many milliseconds each answer took, from the moment it was due to be asked."""
    lines = [_Line(here) for _ in range(8)]
    began = time.monotonic() + 0.5

    def go(first: int) -> list[float]:
        line, found = lines[first], []
        for number in range(first, RATE * SECONDS, len(lines)):
            due = began + number / RATE
            time.sleep(max(due - time.monotonic(), 0))
            status, _ = line.ask("GET", path)
            assert status == expected, status
            found.append((time.monotonic() - due) * 1000)
        return found

    with ThreadPoolExecutor(len(lines)) as pool:
        return [value for values in pool.map(go, range(len(lines))) for value in values]


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
