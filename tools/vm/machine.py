"""One emulated machine: boots, runs commands, reboots, ends."""

import base64
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .image import Image

BOOT = 1200.0  # seconds; about 20 on an idle machine, and ten times that on a busy one
PATH = "/opt/perron/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MEMORY = "2048"
# Nobody attacks this kernel's processor, and its clock is the emulator's: both cost much here.
_QUICK = "mitigations=off no5lvl tsc=reliable audit=0 apparmor=0 nowatchdog systemd.show_status=0"


@dataclass(frozen=True)
class Done:
    """How a command ended, and all it said."""

    code: int
    said: str


class MachineEnded(AssertionError):
    """The machine is off, or does not answer; the text ends with its console."""


class Machine:
    """A machine of its own disk, which persists over reboots and is gone at the end.

    ``-accel tcg``: where this machine is itself a guest, ``kvm`` opens but hangs.
    """

    def __init__(self, image: Image, payload: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vm", dir="/tmp"))
        self._image = image
        self._disk = self.folder / "disk"
        self._payload = payload
        self._waiting = b""
        self._number = 0
        self._boot = ""
        self._line, self._far = socket.socketpair()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Machine":
        try:
            words = ["cp", "--sparse=always", str(self._image.disk), str(self._disk)]
            subprocess.run(words, check=True)
            self._start()
            self._hear_boot(BOOT)
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

    def close(self) -> None:
        """Switch off; nothing is left."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._line.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def console(self) -> str:
        """Return the end of what the kernel and systemd said."""
        path = self.folder / "console"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def _start(self) -> None:
        with self._far as far, (self.folder / "qemu").open("wb") as said:
            self._process = subprocess.Popen(
                _words(self._image, self._disk, self._payload, self.folder, far.fileno()),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                pass_fds=[far.fileno()],
            )  # fmt: skip

    def _say(self, said: dict[str, Any]) -> None:
        self._number += 1
        text = json.dumps({**said, "id": self._number}).encode()
        self._line.sendall(base64.b64encode(text) + b"\n")

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
        while b"\n" not in self._waiting:
            if not select.select([self._line], [], [], max(within, 0.0))[0]:
                return {}
            if not (part := self._line.recv(65_536)):
                said = (self.folder / "qemu").read_text(errors="replace")
                raise MachineEnded(f"The machine is off. {said}\n{self.console()}")
            self._waiting += part
        line, _, self._waiting = self._waiting.partition(b"\n")
        try:
            said = json.loads(base64.b64decode(line[line.rfind(b"\0") + 1 :].strip(b"\xff\r")))
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


def _words(image: Image, disk: Path, payload: Path, folder: Path, line: int) -> list[str]:
    drive = "file={},if=virtio,format=raw{}"
    return [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max"),
        *("-smp", str(min(os.cpu_count() or 1, 2)), "-m", MEMORY),
        *("-display", "none", "-nodefaults", "-nic", "none", "-rtc", "base=utc"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
        *("-append", f"console=ttyS0 root=/dev/vda rw panic=-1 loglevel=4 {_QUICK}"),
        *("-drive", drive.format(disk, ",cache=unsafe")),
        *("-drive", drive.format(payload, ",readonly=on")),
        *("-serial", f"file:{folder / 'console'}"),
        *("-chardev", f"socket,id=line,fd={line}", "-serial", "chardev:line"),
    ]
