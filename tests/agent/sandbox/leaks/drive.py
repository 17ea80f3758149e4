"""Set the stage, let the attacker loose, print what came of it as JSON.

``drive.py [--enter] [--control]``. As root it must run where mounts are its own
(``unshare -m --propagation private``): an attack that worked could change the machine's.
"""

import asyncio
import ctypes
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from victim import answer, listening

from perron.agent.sandbox import Mount, Running, Sandboxes, SandboxSpec, enter

HERE = Path(__file__).parent
PYTHON = "/usr/bin/python3"
ROOT = os.getuid() == 0
UIDS = (171_201, 171_202) if ROOT else (os.getuid(), os.getuid())
SHMGET, SHMCTL = (29, 31) if os.uname().machine == "x86_64" else (194, 195)
libc = ctypes.CDLL(None, use_errno=True)


class Stage:
    """Two apps' folders, a platform with something to hide, and sockets of all kinds."""

    def __init__(self) -> None:
        self.marker, self.secret = f"marker{secrets.token_hex(6)}", f"secret{secrets.token_hex(6)}"
        self.base = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
        self.base.chmod(0o755)
        self.ports = {
            each: _free_port() for each in ("victim", "attacker", "api", "listed", "free")
        }
        self.specs = {
            who: self._spec(who, uid) for who, uid in zip(("victim", "attacker"), UIDS, strict=True)
        }
        (self.base / "platform").write_text("key")
        (self.base / "platform").chmod(0o600)
        (self.base / "anybody").write_text("x")
        self.abstract = {each: f"{each}-{self.marker}" for each in ("victim", "platform")}
        for each in ("api", "listed"):
            answer(listening(socket.AF_INET, ("127.0.0.1", self.ports[each])))
        answer(listening(socket.AF_UNIX, "\0" + self.abstract["platform"]))
        answer(listening(socket.AF_UNIX, str(self.base / "admin")))
        own = self.base / "attacker" / "own" / "s"
        answer(listening(socket.AF_UNIX, str(own)))
        own.chmod(0o777)
        self.key = 0x5EC00000 | secrets.randbelow(1 << 16)
        self.segment = libc.syscall(SHMGET, self.key, 4096, 0o1666)
        os.set_inheritable(os.open(self.base / "platform", os.O_RDONLY), True)  # a careless agent

    def _spec(self, who: str, uid: int) -> SandboxSpec:
        folder = self.base / who
        for each in ("app", "data", "state", "own"):
            (folder / each).mkdir(parents=True)
        for each in HERE.glob("*.py"):
            shutil.copy(each, folder / "app")
        os.chown(folder / "data", uid, -1)
        (folder / "data").chmod(0o700)
        mounts = (
            Mount(str(folder / "data"), "/data", writable=True),
            Mount(str(folder / "own"), "/own"),
        )
        return SandboxSpec(
            name=who,
            state=str(folder / "state"),
            output=str(folder / "state" / "output"),
            app=str(folder / "app"),
            uid=uid,
            mounts=mounts,
            port=self.ports[who],
            connect=(53, 443, self.ports["listed"]),
        )

    def targets(self, pid: int) -> dict[str, Any]:
        """Return what the attacker is told."""
        ports = {f"{name}_port": port for name, port in self.ports.items()}
        return {
            **ports,
            "secret": self.secret,
            "marker": self.marker,
            "pid": pid,
            "victim_file": str(self.base / "victim/data/secret"),
            "victim_socket": str(self.base / "victim/data/socket"),
            "apps": str(self.base),
            "platform_file": str(self.base / "platform"),
            "tmp_marker": str(self.base / "anybody"),
            "edge_socket": str(self.base / "admin"),
            "abstract": self.abstract["victim"],
            "platform_abstract": self.abstract["platform"],
            "shm_key": self.key,
        }

    def remove(self) -> None:
        """Leave nothing behind."""
        libc.syscall(SHMCTL, self.segment, 0, 0)
        shutil.rmtree(self.base, ignore_errors=True)


async def attack(stage: Stage, sandboxes: Sandboxes, *, by_enter: bool, control: bool) -> Any:
    """Return what came of every attack, by column."""
    victim = stage.specs["victim"]
    env = {"SECRET": stage.secret, "ABSTRACT": stage.abstract["victim"]}
    env["PORT"] = str(victim.port)
    words = [PYTHON, "/app/victim.py", stage.marker]
    running = await sandboxes.start(victim, words, env)
    await _until(lambda: "ready" in Path(victim.output).read_text())
    pid = int(Path(f"/proc/{running.child}/task/{running.child}/children").read_text().split()[0])
    targets = stage.targets(pid)
    inside = {**targets, "app": "/app", "data": "/data", "own_socket": "/own/s"}
    found = {"sandbox": await _inside(stage, sandboxes, inside, by_enter)}
    if control:
        found["control"] = await asyncio.to_thread(_plain, stage, targets)
    held = Path(f"/proc/{running.child}/status").read_text().split("CapEff:")[1].split()[0]
    found["first_process_holds"] = int(held, 16) & ~0x1C0  # but SETUID, SETGID, SETPCAP
    found["victim_lives"] = isinstance(sandboxes.find(Path(victim.state)), Running)
    return found


async def _inside(stage: Stage, sandboxes: Sandboxes, targets: Any, by_enter: bool) -> Any:
    spec = stage.specs["attacker"]
    env = {"TARGETS": json.dumps(targets), "PORT": str(spec.port)}
    words = [PYTHON, "/app/probe.py"]
    if not by_enter:
        running = await sandboxes.start(spec, words, env)
        await running.wait()
        return json.loads(Path(spec.output).read_text())
    running = await sandboxes.start(spec, ["sleep", "300"], env)
    await asyncio.sleep(0.2)
    session = await enter(running, words, terminal=False)
    assert session.stdout is not None
    with open(session.stdout, "rb", closefd=False) as file:
        said = await asyncio.to_thread(file.read)
    await session.wait()
    return json.loads(said)


def _plain(stage: Stage, targets: Any) -> Any:
    """The same attacks without a sandbox: what fails here too proves nothing."""
    folder = stage.base / "attacker"
    told = {**targets, "app": str(folder / "app"), "data": str(folder / "data")}
    told["own_socket"] = str(folder / "own/s")
    env = {"PATH": "/usr/bin:/bin", "HOME": told["data"], "TARGETS": json.dumps(told)}
    env["PORT"] = str(stage.specs["attacker"].port)
    uid = UIDS[1]
    drop = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if ROOT else []
    words = [*drop, PYTHON, "-B", str(folder / "app/probe.py")]
    done = subprocess.run(words, env=env, stdout=subprocess.PIPE, close_fds=False, timeout=1200)
    return json.loads(done.stdout)


async def _until(holds: Any) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


async def main() -> None:
    """Play it once."""
    stage = Stage()
    sandboxes = Sandboxes(cgroup=f"perron-leaks-{os.getpid()}")
    await sandboxes.open()
    given = sys.argv[1:]
    try:
        found = await attack(
            stage, sandboxes, by_enter="--enter" in given, control="--control" in given
        )
        print(json.dumps(found))
    finally:
        for spec in stage.specs.values():
            left = sandboxes.find(Path(spec.state))
            if isinstance(left, Running):
                await left.kill()
        await sandboxes.close()
        sandboxes.dissolve()
        stage.remove()


if __name__ == "__main__":
    asyncio.run(main())
