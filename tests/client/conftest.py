"""Servers that misbehave on purpose: each answer is written by the test."""

import shutil
import socket
import socketserver
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest


class Script:
    """Answers connections one after the other with what the test wrote down."""

    def __init__(self, path):
        self.path = path
        self.heard = []
        self.answers = []
        self._server = None
        self._open = []

    def start(self):
        script = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                script._open.append(self.connection)
                while script.answers:
                    request = read_request(self.rfile)
                    if request is None:
                        return
                    script.heard.append(request)
                    answer = script.answers.pop(0)
                    if answer is None:
                        return
                    self.wfile.write(answer)
                    if b"connection: close" in answer.lower():
                        return

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self.path.unlink(missing_ok=True)
        self._server = Server(str(self.path), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        """Go away as if killed: the socket file stays, connections break."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()


def read_request(stream):
    line = stream.readline().decode()
    if not line:
        return None
    method, path, _ = line.split(" ", 2)
    headers = {}
    while text := stream.readline().decode().strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return method, path, headers, body


def answer(status=200, body=b"{}", kind="application/json", **headers):
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@pytest.fixture
def script():
    folder = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    made = Script(folder / "api.sock").start()
    yield made
    made.stop()
    shutil.rmtree(folder)
