"""How long a change takes to reach visitors, and what visitors lose meanwhile."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.rig import Load
from tools.rig.platform import BIN, Platform, platform, wait_until

from .figure import ROUNDS, Figure, median

APP = """from flask import Flask
app = Flask(__name__)

@app.get('/')
def home():
    return '{}'
"""
NEEDS = "flask==3.1.2\ngunicorn==23.0.0\n"


def lost() -> list[Figure]:
    """Count what visitors lose in 20 redeploys, 20 scale changes and 10 kills."""
    with platform() as here:
        folder = here.app("load")
        source = (folder / "app.py").read_text()
        here.perron("deploy", str(folder), "-a", "load", "--create")
        with Load(here.http_port, "load.localhost", pace=0.002) as load:
            for number in range(20):
                (folder / "app.py").write_text(source.replace('"blue"', f'"blue {number}"'))
                here.perron("deploy", str(folder), "-a", "load")
                here.perron("scale", "-a", "load", f"web={1 + (number + 1) % 3}")
            for victim in ("serve", "agent") * 5:
                before = here.pid(victim)
                here.kill(victim)
                wait_until(lambda v=victim, b=before: here.pid(v) not in (None, b), 20)
            wait_until(lambda: load.tally.requests > 30_000, 300)
    counted = sum(load.tally.lost.values())
    return [Figure("requests lost: 20 redeploys, 20 scales, 5 kills each of server and agent", "0",
                   f"{counted} of {load.tally.requests}", [counted])]  # fmt: skip


def one_line() -> list[Figure]:
    """Time a redeploy of a small Flask app with one source line changed, and its stages."""
    totals, overheads = [], []
    with platform() as here:
        folder = _flask(here)
        here.perron("deploy", str(folder), "-a", "small", "--create")
        for number in range(ROUNDS):
            (folder / "app.py").write_text(APP.format(f"hello {number}"))
            took, stages = _timed(here, folder, f"hello {number}")
            totals.append(took)
            overheads.append(took - stages.get("build", 0) - stages.get("start", 0))
    return [
        median("redeploy, one source line changed", "≤ 2 s", totals),
        median("… all but build, release command and start", "≤ 0.7 s", overheads),
    ]


def one_dependency() -> list[Figure]:
    """Time a redeploy with one dependency changed."""
    totals = []
    with platform() as here:
        folder = _flask(here)
        here.perron("deploy", str(folder), "-a", "small", "--create")
        for number in range(min(ROUNDS, 5)):
            (folder / "requirements.txt").write_text(NEEDS + f"humanize==4.{number}.0\n")
            (folder / "app.py").write_text(APP.format(f"hello {number}"))
            totals.append(_timed(here, folder, f"hello {number}")[0])
    return [median("redeploy, one dependency changed", "≤ 3.5 s", totals)]


def first() -> list[Figure]:
    """Time a first deploy with a cold cache against uv's own cold install."""
    differences = []
    for _ in range(3):
        with platform() as here:
            folder = _flask(here)
            began = time.monotonic()
            here.perron("deploy", str(folder), "-a", "small", "--create")
            took = time.monotonic() - began
        differences.append(took - _uv_cold())
    return [median("first deploy, cold cache, less uv's own cold install", "≤ 2.5 s", differences)]


def _flask(here: Platform) -> Path:
    folder = here.folder / "small"
    folder.mkdir()
    (folder / "app.py").write_text(APP.format("hello"))
    (folder / "requirements.txt").write_text(NEEDS)
    (folder / "Procfile").write_text("web: gunicorn -w 1 -b 127.0.0.1:$PORT app:app\n")
    return folder


def _timed(here: Platform, folder: Path, answer: str) -> tuple[float, dict[str, float]]:
    """Deploy; return the seconds until the new release answers, and those of each step."""
    began = time.monotonic()
    deploy = subprocess.Popen(
        [str(BIN / "perron"), "deploy", str(folder), "-a", "small"], env=here.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: here.ask("small.localhost")[1].decode() == answer, 60)
    took = time.monotonic() - began
    deploy.wait(60)
    release = here.json("releases", "-a", "small")[0]
    operation = here.json("api", "GET", f"/v1/operations/{release['operation']}")["operation"]
    return took, {step["name"]: _seconds(step) for step in operation["steps"]}


def _seconds(step: dict[str, str]) -> float:
    from datetime import datetime

    if not step["finished"]:
        return 0.0
    ended, began = (datetime.fromisoformat(step[key]) for key in ("finished", "started"))
    return (ended - began).total_seconds()


def _uv_cold() -> float:
    folder = Path(tempfile.mkdtemp())
    (folder / "requirements.txt").write_text(NEEDS)
    environment = os.environ | {"UV_CACHE_DIR": str(folder / "cache")}
    uv = str(BIN / "uv")
    began = time.monotonic()
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder / "v")],
                   env=environment, check=True)  # fmt: skip
    install = [uv, "pip", "install", "-q", "--link-mode=copy", "--compile-bytecode", "--python"]
    install += [str(folder / "v/bin/python"), "-r", str(folder / "requirements.txt")]
    subprocess.run(install, env=environment, check=True)
    took = time.monotonic() - began
    shutil.rmtree(folder)
    return took
