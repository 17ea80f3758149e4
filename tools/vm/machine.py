"""One emulated machine: boots or wakes, runs commands, reboots, ends."""

import base64
import json
import select
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .emulator import Disks, Emulator

BOOT = 1200.0  # seconds; about 15 on an idle machine, and ten times that on a busy one
WAKE = 120.0
PATH = "/opt/perron/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PAYLOAD = "/opt/perron"


@dataclass(frozen=True)
class Done:
    """How a command ended, and all it said."""

    code: int
    said: str


class MachineEnded(AssertionError):
    """The machine is off, or does not answer; the text ends with its console."""


class Machine:
    """A machine of its own disk, which persists over reboots and is gone at the end.

    It wakes from a kept state where there is one, and boots where that cannot be.
    """

    def __init__(self, disks: Disks, payload: Path, *, keep: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vm", dir="/tmp"))
        self._disks = disks
        self._payload = payload
        self._keep = keep
        self._waiting = b""
        self._number = 0
        self._boot = ""
        self._emulator: Emulator | None = None

    def __enter__(self) -> "Machine":
        try:
            if not (self._disks.state and self._wakes()):
                self._boots()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self, command: str, *, user: str = "", check: bool = True, timeout: float = 120.0,
        **environment: str,
    ) -> Done:  # fmt: skip
        """Run a shell command, as root or as ``user``; an unexpected end is an AssertionError."""
        home = f"/home/{user}" if user else "/root"
        known = {"PATH": PATH, "HOME": home, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        asked = {"command": command, "user": user, "timeout": timeout}
        self._say({**asked, "environment": {**known, **environment}})
        said = self._hear(timeout + 60)
        done = Done(said["code"], said["said"])
        if check and done.code:
            raise AssertionError(f"{command} ended with {done.code}:\n{done.said[-4000:]}")
        return done

    def reboot(self) -> None:
        """Shut down and start again, as `reboot` does; the disk stays."""
        self.run("systemctl reboot", check=False)
        self._hear_boot(BOOT)

    def crash(self) -> None:
        """Start again at once, as after a loss of power."""
        self._say({"command": "echo b > /proc/sysrq-trigger", "timeout": 5, "environment": {}})
        self._hear_boot(BOOT)

    def save(self, state: Path) -> None:
        """Keep the machine as it is, without its payload, to be woken later; it ends here."""
        self.run(f"umount {PAYLOAD} && blockdev --flushbufs /dev/vdb && sync")
        self._running.save(state)

    def close(self) -> None:
        """Switch off; nothing is left."""
        if self._emulator:
            self._emulator.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def console(self) -> str:
        """Return the end of what the kernel and systemd said."""
        path = self.folder / "console"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def _boots(self) -> None:
        disks = replace(self._disks, state=None)
        self._emulator = Emulator(disks, self._payload, self.folder, keep=self._keep)
        self._hear_boot(BOOT)

    def _wakes(self) -> bool:
        """Wake from the kept state: its clock stood still, and its payload was another."""
        self._emulator = Emulator(self._disks, self._payload, self.folder)
        try:
            if self._emulator.woken(WAKE):
                self._say({"ask": "boot"})
                self._boot = self._hear(WAKE)["booted"]
                self.run(f"mount -t ext4 -o ro /dev/vdb {PAYLOAD}")
                self.run(f"date -s @{time.time():.2f}")
                return True
        except (AssertionError, OSError):
            self._waiting = b""
        self._emulator.close()
        return False

    @property
    def _running(self) -> Emulator:
        if not self._emulator:
            raise MachineEnded("The machine was not started.")
        return self._emulator

    def _say(self, said: dict[str, Any]) -> None:
        self._number += 1
        text = json.dumps({**said, "id": self._number}).encode()
        self._running.line.sendall(base64.b64encode(text) + b"\n")

    def _hear_boot(self, within: float) -> None:
        end = time.monotonic() + within
        while time.monotonic() < end:
            said = self._next(end - time.monotonic())
            if said.get("booted", self._boot) != self._boot:
                self._boot = said["booted"]
                return
        raise MachineEnded(f"It did not boot within {within:.0f} s.\n{self.console()}")

    def _hear(self, within: float) -> dict[str, Any]:
        end = time.monotonic() + within
        while time.monotonic() < end:
            said = self._next(end - time.monotonic())
            if said.get("id") == self._number:
                return said
            if said.get("booted", self._boot) != self._boot:
                raise MachineEnded(f"It started again by itself.\n{self.console()}")
        raise MachineEnded(f"It did not answer within {within:.0f} s.\n{self.console()}")

    def _next(self, within: float) -> dict[str, Any]:
        """Return the next line that can be read; firmware and cut lines cannot."""
        line = self._running.line
        while b"\n" not in self._waiting:
            if not select.select([line], [], [], max(within, 0.0))[0]:
                return {}
            if not (part := line.recv(65_536)):
                said = (self.folder / "qemu").read_text(errors="replace")
                raise MachineEnded(f"The machine is off. {said}\n{self.console()}")
            self._waiting += part
        text, _, self._waiting = self._waiting.partition(b"\n")
        try:
            said = json.loads(base64.b64decode(text[text.rfind(b"\0") + 1 :].strip(b"\xff\r")))
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}
