"""A real platform in a home of its own, driven as a person would: by its commands."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from perron.agent import interpreters
from perron.kit.settings import Home, Settings
from perron.server import claims

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def offered_pythons() -> str:
    """The Pythons of whoever runs this: a platform in a HOME of its own does not see them."""
    found = interpreters(Settings())
    return ":".join(each.path for each in found if each.language == "python")


class Platform:
    """One platform; ``perron(...)`` types a command, ``get`` visits an app."""

    def __init__(self, folder: Path | None = None, **settings: str) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="perron-", dir="/tmp"))
        self.home = self.folder / "p"
        self.http_port, self.https_port = free_port(), free_port()
        keep = ("PATH", "LANG", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE",
                "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "TMPDIR",
                "PERRON_PYTHONS")  # fmt: skip
        self.environment = {name: os.environ[name] for name in keep if name in os.environ} | {
            "HOME": str(self.folder),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PERRON_HOME": str(self.home),
            "PERRON_HTTP_PORT": str(self.http_port),
            "PERRON_HTTPS_PORT": str(self.https_port),
            "PERRON_DISK_RESERVE": str(200 << 20),
            **settings,
        }

    def perron(
        self, *words: str, cwd: Path | str | None = None, check: bool = True, input: str = "",
        timeout: float = 180,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        done = subprocess.run(
            [str(BIN / "perron"), *words], cwd=cwd or self.folder, env=self.environment,
            capture_output=True, text=True, input=input, timeout=timeout, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(
                f"perron {' '.join(words)} ended with {done.returncode}\n"
                f"{done.stdout}\n{done.stderr}\n{self.tail()}"
            )
        return done

    def json(self, *words: str, **options: object) -> object:
        return json.loads(self.perron(*words, "--json", **options).stdout)

    def up(self) -> "Platform":
        self.perron("up")
        return self

    def tail(self, lines: int = 15) -> str:
        said = []
        for name in ("serve", "agent", "edge"):
            log = self.home / "logs" / f"{name}.log"
            if log.exists():
                last = log.read_text(errors="replace").splitlines()[-lines:]
                said += [f"--- {name}.log", *last]
        return "\n".join(said)

    def pid(self, name: str) -> int | None:
        from perron.kit import lock

        return lock.holder(self.home / "run" / f"{name}.lock")

    def edge_pids(self) -> list[int]:
        """The edge's processes, found by the configuration in their command line."""
        wanted = str(self.home / "edge").encode()
        return [pid for pid, line in _command_lines() if wanted in line and b"haproxy" in line]

    def instance_pids(self, command: str = "app.py") -> list[int]:
        """The app's own processes: those of our sandboxes whose command line ends so."""
        shims = set(self.leftovers()) | self._sandboxed()
        end = command.encode()
        return sorted(
            pid
            for pid, line in _command_lines()
            if pid in shims and line.rstrip(b"\0").endswith(end) and not line.startswith(b"bwrap")
        )

    def _sandboxed(self) -> set[int]:
        """Every process whose ancestors include a child that this home's instances recorded."""
        roots = set()
        for status in (self.home / "node" / "instances").glob("*/status"):
            for line in status.read_text().splitlines():
                roots.add(json.loads(line).get("child-pid"))
        parents = {pid: _parent(pid) for pid, _ in _command_lines()}
        found = {pid for pid in parents if pid in roots}
        while more := {pid for pid, up in parents.items() if up in found} - found:
            found |= more
        return found

    def kill(self, name: str) -> None:
        """kill -9 server (serve), agent or edge, and wait until it holds nothing any more."""
        pids = [each for each in ([self.pid(name)] if name != "edge" else self.edge_pids()) if each]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        if name != "edge":
            wait_until(lambda: self.pid(name) not in pids, 20, f"{name} is dead")

    def ask(
        self, host: str, path: str = "/", method: str = "GET", body: bytes | None = None,
        headers: dict[str, str] | None = None, timeout: float = 10.0,
    ) -> tuple[int, bytes]:  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers={"Host": host, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def status(self, host: str, path: str = "/") -> int | None:
        """The status an app's visitor gets; None when nobody answers."""
        try:
            return self.ask(host, path)[0]
        except OSError:
            return None

    def app(self, name: str, to: str | None = None) -> Path:
        """A copy of a demo app to change at will."""
        source = next(p / name for p in (ROOT / "demos/apps", ROOT / "examples")
                      if (p / name).is_dir())  # fmt: skip
        folder = self.folder / (to or name)
        shutil.copytree(source, folder, dirs_exist_ok=True)
        return folder

    def close(self) -> None:
        """Stop everything and leave no trace."""
        if self.home.exists():
            self.perron("down", "--apps", check=False)
        for pid in self.leftovers():
            kill_now(pid)
        for claim in claims.of(Home(self.home)):
            claim.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def leftovers(self) -> list[int]:
        """Processes that name this home: what must be nobody after ``down --apps``."""
        wanted, own = str(self.home).encode(), {os.getpid(), os.getppid()}
        named = (pid for pid, line in _command_lines() if wanted in line or _is_told(pid, wanted))
        return [pid for pid in named if pid not in own]


def kill_now(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_until(is_so: Callable[[], object], within: float = 20.0, what: str = "") -> object:
    """Look again until it is so; return what it said."""
    end = time.monotonic() + within
    while not (seen := is_so()):
        if time.monotonic() > end:
            raise AssertionError(f"it never became so: {what or is_so}")
        time.sleep(0.02)
    return seen


@contextmanager
def platform(**settings: str) -> Iterator[Platform]:
    """A platform that is up, and gone afterwards."""
    made = Platform(**settings)
    try:
        yield made.up()
    finally:
        made.close()


def _command_lines() -> Iterator[tuple[int, bytes]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                yield int(entry.name), Path(entry.path, "cmdline").read_bytes()
            except OSError:
                continue


def _is_told(pid: int, home: bytes) -> bool:
    """Is this a process of the platform whose environment names the home?"""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return b"PERRON_HOME=" + home in environment
    except OSError:
        return False


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return None
