"""A shop that talks like one: a line for each request, warnings, errors and their tracebacks.

Standard library only. ``/flood?lines=N`` writes N lines at once, ``/say?text=…`` one of your own,
``/exit`` ends the process, ``/fail`` answers 500.
"""

import itertools
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

RELEASE = os.environ.get("PERRON_RELEASE", "?")
ORDERS = itertools.count(88_400)


class Declined(Exception):
    """The bank said no."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def pay(order: int) -> None:
    """Charge an order; every seventh is declined, and a log should show why."""
    try:
        if order % 7 == 0:
            raise Declined("do_not_honor")
        say(f"POST /pay 200 {54 + order % 120} ms  order={order}")
    except Declined as error:
        say(f"ERROR payment declined by gateway: {error}  order={order}")
        say(traceback.format_exc().rstrip())
    if order % 9 == 0:
        say(f"WARN gateway answered slowly: {1800 + order % 190} ms, limit 2000")


class Shop(BaseHTTPRequestHandler):
    """Answers visitors."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Show a page."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/exit":
            say("Session store gave up, exiting")
            os._exit(3)
        if url.path == "/flood":
            flood(int(query.get("lines", "1000")))
        elif url.path == "/say":
            say(query.get("text", ""))
        elif url.path == "/pay":
            pay(next(ORDERS))
        elif url.path != "/health":
            say(f"GET {url.path} 200 {20 + len(url.path)} ms")
        self._answer(500 if url.path == "/fail" else 200, f"shop, release {RELEASE}\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing twice."""

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


def flood(lines: int) -> None:
    """Write many lines, as a busy day does."""
    paths = ("/", "/cart", "/cart/7c1e", "/search?q=tea", "/orders/88431", "/assets/app.css")
    for each in range(lines):
        path = paths[each % len(paths)]
        sys.stdout.write(f"GET {path} 200 {3 + each * 7 % 180} ms  order={88_000 + each}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    say(f"Listening on 127.0.0.1:{os.environ['PORT']}  release={RELEASE}")
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
