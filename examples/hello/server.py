"""Says hello, and shows what the platform told this process; the standard library is enough."""

import os
import signal
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{app}</title>
<style>
  body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto;
         padding: 0 1.5rem; color: #1c2430; background: #fbfaf7; }}
  dt {{ color: #6b7280; float: left; clear: left; width: 9rem; }}
  dd {{ margin: 0 0 0 9rem; font-family: ui-monospace, monospace; }}
</style>
<h1>Hello from {app}</h1>
<dl>
  <dt>environment</dt><dd>{env}</dd>
  <dt>release</dt><dd>{release}</dd>
  <dt>instance</dt><dd>{instance}</dd>
  <dt>greeting</dt><dd>{greeting}</dd>
</dl>
"""


class Hello(BaseHTTPRequestHandler):
    """Answers every path with the same page."""

    protocol_version = "HTTP/1.1"

    def handle(self):
        """Serve a connection; whoever is at the other end may hang up."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self):
        """Show who is answering."""
        told = {
            "app": os.environ.get("PERRON_APP", "hello"),
            "env": os.environ.get("PERRON_ENV", "nowhere"),
            "release": os.environ.get("PERRON_RELEASE", "none"),
            "instance": os.environ.get("PERRON_INSTANCE", "none"),
            "greeting": os.environ.get("GREETING", "perron config set GREETING=hi"),
        }
        body = PAGE.format(**told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        """Answer the same without its body."""
        self.do_GET()

    def log_message(self, form, *values):
        """Write one line for each request."""
        print(self.address_string(), form % values, flush=True)


def main():
    """Listen on the port the platform gave, until it says stop."""
    port = int(os.environ.get("PORT", "8000"))
    server = ThreadingHTTPServer(("127.0.0.1", port), Hello)
    stop = threading.Thread(target=server.shutdown)
    signal.signal(signal.SIGTERM, lambda *_: stop.start())
    print(f"listening on {port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
