"""An agent as a process of its own, on a home, ports and uids of its own."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perron import agent
from perron.agent.builds import Builds
from perron.agent.sandbox import tier
from perron.contract.node import (
    NODE,
    REPORT,
    WISHES,
    BuildPlan,
    EnvironmentWish,
    HealthCheck,
    InstanceReport,
    ProcessSet,
    Report,
    WishDocument,
)
from perron.kit.nodeclient import AgentAway, NodeClient
from perron.kit.settings import Home, Settings

PATIENCE = 30.0
PROGRAM = """
import sys
from pathlib import Path
from perron import agent
from perron.kit.settings import Home, Settings
agent.run(Home(Path(sys.argv[1])), Settings(slot=9, http_port=int(sys.argv[2]),
          https_port=int(sys.argv[3]), bind="127.0.0.1"))
"""
APP = """
import http.server, os, signal, sys, threading, time
release = os.environ['PERRON_RELEASE']
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        if self.path == '/crash': os._exit(7)
        if self.path == '/slow':
            self.send_response(200); self.send_header('Transfer-Encoding', 'chunked')
            self.end_headers()
            for number in range(20):
                self.wfile.write(b'2\\r\\nx\\n\\r\\n'); self.wfile.flush(); time.sleep(0.1)
            self.wfile.write(b'0\\r\\n\\r\\n'); return
        body = ('release %s' % release).encode()
        self.send_response(200); self.send_header('Content-Length', str(len(body)))
        self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H)
server.handle_error = lambda *_: None
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
def count():
    number = 0
    while True:
        os.write(1, b'%d line %d\\n' % (os.stat('/proc/self').st_ctime_ns, number)); number += 1
        time.sleep(0.005)
if os.environ.get('COUNT'):
    threading.Thread(target=count, daemon=True).start()
server.serve_forever()
"""


class AgentProcess:
    """An agent that tests start, kill and ask."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.http_port, self.https_port = free_port(), free_port()
        self.settings = Settings(
            slot=9, http_port=self.http_port, https_port=self.https_port, bind="127.0.0.1"
        )
        self.generation = 0
        self.node = NodeClient(self.home.agent_socket)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it answers."""
        words = [sys.executable, "-c", PROGRAM, str(self.home.path)]
        log = (self.home.path / "agent.log").open("ab")
        self.process = subprocess.Popen(
            [*words, str(self.http_port), str(self.https_port)], stdout=log, stderr=log
        )
        self.until(self.answers, "answering")

    def answers(self) -> bool:
        try:
            return bool(self.node.get(NODE))
        except AgentAway:
            return False

    def kill(self) -> None:
        """Kill it as the kernel would."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def wish(self, *wishes: EnvironmentWish, gone: tuple[str, ...] = ()) -> None:
        """Send the next document."""
        self.generation += 1
        document = WishDocument(generation=self.generation, wishes=list(wishes), gone=list(gone))
        self.node.put(WISHES, document)

    def report(self, **query: Any) -> Report:
        return Report.model_validate(self.node.get(REPORT, query))

    def instances(self) -> list[InstanceReport]:
        with contextlib.suppress(AgentAway):
            environments = self.report().environments
            return [each for one in environments for each in one.instances]
        return []

    def until(self, is_so: Callable[[], Any], what: str) -> Any:
        """Wait for a condition, with a deadline."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := is_so():
                return found
            time.sleep(0.02)
        log = (self.home.path / "agent.log").read_text()[-3000:]
        raise AssertionError(f"not {what}: {self.instances()}\n{log}")

    def until_states(self, *wanted: str) -> list[InstanceReport]:
        """Wait until the instances are exactly in these states, written ``web.1 v1 healthy``."""

        def look() -> bool:
            seen = sorted(f"{each.name} v{each.release} {each.state}" for each in self.instances())
            return seen == sorted(wanted)

        self.until(look, f"all of {wanted}")
        return self.instances()

    def until_routed(self, environment: str = "env_a") -> None:
        """Wait until the edge leads visitors as wished."""

        def look() -> bool:
            return any(
                each.environment == environment
                and each.routed
                and each.generation == self.generation
                for each in self.report().environments
            )

        self.until(look, "routed")

    def visit(self, path: str = "/", *, host: str = "shop.localhost") -> tuple[int, str]:
        """Ask as a visitor does, on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.http_port), timeout=20) as to:
            to.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := to.recv(65_536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def build(self, name: str, program: str) -> None:
        app = Path(tempfile.mkdtemp(dir=self.home.path))
        (app / "app.py").write_text(program)
        Builds(self.home, self.settings).keep(name, BuildPlan(), app)

    def clean(self) -> None:
        """End everything it started."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        agent.stop_everything(self.home, self.settings)


def web(release: int = 1, count: int = 1, **given: Any) -> ProcessSet:
    """Return a set of web instances."""
    given.setdefault("health", HealthCheck(deadline=15.0))
    return ProcessSet(
        process=given.pop("process", "web"), release=release,
        revision=given.pop("revision", "r1"), build=given.pop("build", "app"),
        command=given.pop("command", "/usr/bin/python3 app.py"), count=count, **given,
    )  # fmt: skip


def wish(*sets: ProcessSet, environment: str = "env_a", app: str = "shop") -> EnvironmentWish:
    """Return what is wished for one environment."""
    return EnvironmentWish(
        environment=environment, app="app_a", team="team_a", app_name=app,
        environment_name="production", hosts=[f"{app}.localhost"], sets=list(sets),
    )  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def agents() -> Iterator[AgentProcess]:
    """Return an agent that runs; everything it started is ended afterwards."""
    if tier() == "C":
        pytest.skip("no sandbox on this machine")
    folder = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    made = AgentProcess(folder)
    made.build("app", APP)
    try:
        made.start()
        yield made
    finally:
        made.clean()
        shutil.rmtree(folder, ignore_errors=True)
