"""qemu's part: the words that start it, and its monitor, by which a machine is kept and woken."""

import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = "qemu-system-x86_64"
MEMORY = "2048"
# Nobody attacks this kernel's processor, and its clock is the emulator's: both cost much here.
_QUICK = "mitigations=off no5lvl tsc=reliable audit=0 apparmor=0 nowatchdog systemd.show_status=0"


@dataclass(frozen=True)
class Disks:
    """What a machine starts from; with ``state`` it has booted already."""

    disk: Path
    kernel: Path
    initrd: Path
    state: Path | None = None


class Emulator:
    """One running qemu: a line to the guest, and one to qemu itself.

    ``-accel tcg``: where this machine is itself a guest, ``kvm`` opens but hangs. ``-icount``: its
    clock counts what it has done, a nanosecond an instruction, and goes on by itself only while it
    has nothing to do; so nothing comes too late in there, however busy it is out here.

    ``keep`` writes to the disk itself; else what is written goes when it ends.
    """

    def __init__(self, disks: Disks, payload: Path, folder: Path, *, keep: bool = False) -> None:
        self.line, line = socket.socketpair()
        self._monitor, monitor = socket.socketpair()
        self._waiting, self._is_greeted = b"", False
        words = _words(disks, payload, folder, line.fileno(), monitor.fileno(), keep)
        environment = {**os.environ, "TMPDIR": str(folder)}  # for what the machine writes
        with line, monitor, (folder / "qemu").open("wb") as said:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                pass_fds=[line.fileno(), monitor.fileno()], env=environment,
            )  # fmt: skip

    def woken(self, within: float) -> bool:
        """Let a kept machine go on, once all of it is here: what is said before that is lost."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if self._ask("query-status")["status"] == "paused":
                self._ask("cont")
                return True
            time.sleep(0.05)
        return False

    def save(self, state: Path) -> None:
        """Write the whole machine, stopped, into a file; it does not go on after that."""
        self._ask("stop")
        self._ask("migrate-set-parameters", {"max-bandwidth": 1 << 40})
        self._ask("migrate", {"uri": f"exec:cat > '{state}'"})
        while (status := self._ask("query-migrate").get("status")) != "completed":
            if status in ("failed", "cancelled"):
                raise OSError(f"qemu could not save the machine: {status}")
            time.sleep(0.1)
        self._ask("quit")
        self._process.wait()

    def close(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self.line.close()
        self._monitor.close()

    def _ask(self, command: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        if not self._is_greeted:
            self._is_greeted = True
            self._told()
            self._ask("qmp_capabilities")
        asked = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self._monitor.sendall(json.dumps(asked).encode())
        while "return" not in (said := self._told()):
            if "error" in said:
                raise OSError(f"qemu refused {command}: {said['error'].get('desc')}")
        answer: dict[str, Any] = said["return"]
        return answer

    def _told(self) -> dict[str, Any]:
        while b"\n" not in self._waiting:
            if not (part := self._monitor.recv(65_536)):
                raise OSError("qemu ended.")
            self._waiting += part
        line, _, self._waiting = self._waiting.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        return said


def version() -> str:
    """Return what decides whether a kept state can be woken here."""
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.splitlines()[0]


def _words(
    disks: Disks, payload: Path, folder: Path, line: int, monitor: int, keep: bool
) -> list[str]:
    drive = "file={},if=virtio,format=raw{}"
    own = ",cache=unsafe" if keep else ",cache=unsafe,snapshot=on"
    woken = ["-incoming", f"exec:cat '{disks.state}'"] if disks.state else []
    return [
        # It ends with what started it, however that ends.
        *("setpriv", "--pdeathsig", "KILL"),
        *(PROGRAM, "-accel", "tcg", "-icount", "shift=0", "-cpu", "max", "-smp", "1"),
        *("-m", MEMORY, "-display", "none", "-nodefaults", "-nic", "none", "-rtc", "base=utc"),
        *("-kernel", str(disks.kernel), "-initrd", str(disks.initrd)),
        *("-append", f"console=ttyS0 root=/dev/vda rw panic=-1 loglevel=4 {_QUICK}"),
        *("-drive", drive.format(disks.disk, own)),
        *("-drive", drive.format(payload, ",readonly=on")),
        *("-serial", f"file:{folder / 'console'}"),
        *("-chardev", f"socket,id=line,fd={line}", "-serial", "chardev:line"),
        *("-chardev", f"socket,id=ask,fd={monitor}", "-mon", "chardev=ask,mode=control"),
        *woken,
    ]
