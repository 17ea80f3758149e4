"""The engine of this machine keeps the promise with a real agent and real sandboxes."""

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import pytest

from perron.contract.node import BuildPlan, JobKind, JobSpec, WishDocument
from perron.kit.nodeclient import AgentAway
from perron.kit.settings import Home
from perron.runtime.engines.node import NodeEngine
from perron.runtime.testing import EnginePromise
from tools.rig import free_port

AGENT = """
import sys
from pathlib import Path
from perron import agent
from perron.kit.settings import Home, Settings
http, https = int(sys.argv[2]), int(sys.argv[3])
agent.run(Home(Path(sys.argv[1])), Settings(slot=38, http_port=http, https_port=https))
"""


def until(is_so, within=30.0):
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, "it never became so"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def node():
    folder = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    home = Home(folder)
    for part in (home.keys, home.run, home.logs, home.node):
        part.mkdir(parents=True)
    command = [sys.executable, "-c", AGENT, str(folder), str(free_port()), str(free_port())]
    with (folder / "agent.out").open("wb") as output:
        agent = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    engine = NodeEngine(home)
    until(lambda: _answers(engine))
    yield engine, home
    agent.send_signal(signal.SIGTERM)
    agent.wait(20)
    _end_everything(home)
    shutil.rmtree(folder, ignore_errors=True)


def _answers(engine):
    try:
        return engine.node()
    except AgentAway:
        return False


def _end_everything(home):
    code = (
        "import sys; from pathlib import Path; from perron import agent;"
        "from perron.kit.settings import Home, Settings;"
        "agent.stop_everything(Home(Path(sys.argv[1])), Settings(slot=38))"
    )
    subprocess.run([sys.executable, "-c", code, str(home.path)], check=True, timeout=60)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs uids of its own")
class TestNode(EnginePromise):
    @pytest.fixture
    def engine(self, node):
        engine, _ = node
        yield engine
        generation = engine.report().generation + 1
        engine.apply(WishDocument(generation=generation, wishes=[], gone=["env_a"]))
        until(lambda: not engine.report().environments)

    @pytest.fixture
    def settle(self):
        return until

    @pytest.fixture
    def command(self):
        return "exec sleep 600"

    @pytest.fixture(scope="class")
    def build(self, node, tmp_path_factory):
        engine, _ = node
        archive = tmp_path_factory.mktemp("source") / "source.tar.gz"
        archive.write_bytes(_source())
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        engine.put_source(digest, archive)
        identity = hashlib.sha256(b"promise").hexdigest()
        spec = JobSpec(
            kind=JobKind.BUILD,
            environment="env_a",
            app="app_promise",
            team="team_promise",
            app_name="promise",
            environment_name="production",
            source=digest,
            output=identity,
            plan=BuildPlan(),
        )
        engine.ask_job("build-promise", spec)
        until(lambda: engine.job("build-promise", wait=1.0).state == "succeeded")
        return identity


def _source():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        info = tarfile.TarInfo("words.txt")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"hi\n"))
    return packed.getvalue()
