"""Debian's Chromium without a screen, spoken to in its own protocol over one WebSocket."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-headless-shell", "google-chrome", "chrome")
MISSING = "No Chromium on this machine; `apt-get install chromium` lets these tests run."
Heard = Callable[[str, dict[str, Any]], None]


def found() -> str | None:
    """Where Chromium is; None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _end_with_parent() -> None:
    """Let no browser outlive whoever drove it, however that one ended."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Chromium:
    """One browser process; ``call`` speaks to it, ``heard`` gets what it says on its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="prb", dir="/tmp"))
        self.listeners: dict[str, Heard] = {}
        self.asked = 0
        self.process = self._start()
        try:
            self.socket = connect(
                self._address(), max_size=None, compression=None, proxy=None, ping_interval=None
            )
        except BaseException:
            self._end()
            raise

    def call(
        self, method: str, params: dict[str, Any] | None = None, session: str = ""
    ) -> dict[str, Any]:
        """Ask for something and give what it answered; events on the way go to their listener."""
        self.asked += 1
        message = {"id": self.asked, "method": method, "params": params or {}}
        self.socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        end = time.monotonic() + 30
        while (left := end - time.monotonic()) > 0:
            answer = self._next(left) or {}
            if answer.get("id") == self.asked:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])
        raise TimeoutError(f"Chromium did not answer {method} in 30 s.")

    def listen(self, within: float = 0.02) -> None:
        """Hear what has happened meanwhile."""
        end = time.monotonic() + within
        while (left := end - time.monotonic()) > 0 and self._next(left) is not None:
            continue

    def close(self) -> None:
        """End the browser and remove what it kept."""
        with suppress(Exception):
            self.call("Browser.close")
        with suppress(Exception):
            self.socket.close()
        self._end()

    def _next(self, within: float) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout=max(0.0, within)))
        except TimeoutError:
            return None
        if "method" in message:
            listener = self.listeners.get(message.get("sessionId", ""))
            if listener:
                listener(message["method"], message.get("params", {}))
        return message

    def _start(self) -> subprocess.Popen[bytes]:
        words = [
            found() or NAMES[0], "--headless=new", "--remote-debugging-port=0",
            f"--user-data-dir={self.folder}", "--no-first-run", "--disable-gpu",
            "--disable-dev-shm-usage", "--disable-extensions", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
            "--no-proxy-server", "--host-resolver-rules=MAP * 127.0.0.1",
            "--force-color-profile=srgb", "--font-render-hinting=none", "about:blank",
        ]  # fmt: skip
        if os.geteuid() == 0:
            words.insert(1, "--no-sandbox")
        with (self.folder / "said").open("wb") as said:
            return subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
                preexec_fn=_end_with_parent,
            )  # fmt: skip

    def _address(self) -> str:
        told = self.folder / "DevToolsActivePort"
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            lines = told.read_text().split() if told.exists() else []
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            time.sleep(0.02)
        said = (self.folder / "said").read_text(errors="replace")[-1000:]
        raise RuntimeError(f"Chromium did not start in 30 s.\n{said}")

    def _end(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)
