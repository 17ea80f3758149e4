"""A machine that hangs holds up nobody but those who ask it something."""

import io
import socket
import tarfile
import threading
import time

import pytest

from perron import catalog, config, runtime, services
from perron.builds import Manifest
from perron.contract.node import JobReport, JobState
from perron.kit import clock
from perron.kit.nodeclient import AgentAway
from perron.releases import store
from perron.releases.model.release import Release
from perron.runtime.engines.memory import MemoryEngine

BASE = "/v1/apps/shop/environments/production"
SOON = 5.0
DETECT = {"files": ["Procfile"], "contents": {"Procfile": "web: x"}}


@pytest.fixture
def live(ground):
    """Something that is live, with a volume."""
    with ground.writing() as uow:
        place = catalog.get_environment(uow, ground.shop, "production")
        services.create(uow, place, "data", mount="/data", size=1 << 30)
        release = Release(
            "rel_1", place.id, 1, "deploy", "0" * 64, ".", "c", [], {}, clock.now(), "per_1",
            operation="op_1", state="live", build="b" * 64, manifest=Manifest().as_json(),
        )  # fmt: skip
        config.take_snapshot(uow, place, release.id)
        store.add(uow, release)
    return ground


@pytest.fixture
def asked(live):
    """Set when somebody waits for an agent that takes connections and answers nothing."""
    heard, held, waits = threading.Event(), [], []
    live.home.agent_socket.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(live.home.agent_socket))
        agent.listen()

        def accept():
            while True:
                try:
                    held.append(agent.accept()[0])
                except OSError:
                    return
                heard.set()

        threading.Thread(target=accept, daemon=True).start()
        yield heard, waits
        agent.shutdown(socket.SHUT_RDWR)
        for each in held:
            each.close()
        for each in waits:
            each.join(SOON)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{BASE}/runs", {"argv": ["true"]}),
        ("POST", f"{BASE}/volumes/data/snapshots", None),
        ("DELETE", f"{BASE}/volumes/data?confirm=data", None),
        ("GET", f"{BASE}/volumes", None),
        ("GET", f"{BASE}/logs", None),
        ("POST", "/v1/apps/shop/detect", DETECT),
    ],
    ids=["run", "snapshot", "destroy", "volumes", "logs", "detect"],
)
def test_a_hanging_agent_keeps_no_other_writer_waiting(live, asked, method, path, body):
    heard, waits = asked
    waits.append(threading.Thread(target=lambda: live.http().request(method, path, json=body)))
    waits[0].start()
    assert heard.wait(SOON), "the agent was never asked"
    began = time.monotonic()
    for number in range(5):
        made = live.http().post("/v1/apps", json={"name": f"app-{number}"})
        assert made.status_code == 201
    assert time.monotonic() - began < SOON
    assert waits[0].is_alive()


def test_a_run_that_no_machine_took_may_be_asked_for_again_with_its_key(live):
    class Away(MemoryEngine):
        is_away = True

        def ask_job(self, name, spec):
            if self.is_away:
                raise AgentAway("The agent does not answer.")
            return JobReport(job=name, state=JobState.QUEUED)

    engine = Away(live.home)
    runtime.use(live.home, engine)
    path, wanted, key = f"{BASE}/runs", {"argv": ["true"]}, {"Idempotency-Key": "k1"}
    assert live.http().post(path, json=wanted, headers=key).status_code == 503
    engine.is_away = False
    done = live.http().post(path, json=wanted, headers=key)
    again = live.http().post(path, json=wanted, headers=key)
    assert (done.status_code, again.json()) == (201, done.json())


def packed():
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("Procfile"))
    return plain.getvalue()


def upload(http, content=None):
    return http.put("/v1/apps/shop/sources", content=packed() if content is None else content)


@pytest.mark.parametrize("token", ["", "none", "perron_" + "x" * 10_000, "caf\u00e9"])
def test_an_upload_with_a_bad_token_is_refused_as_such(ground, token):
    headers = {b"Authorization": f"Bearer {token}".encode()}
    answer = ground.http("").put("/v1/apps/shop/sources", content=packed(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (401, "/v1/problems/NotSignedIn")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_that_is_revoked_during_an_upload_keeps_nothing(ground):
    made = ground.http().post("/v1/tokens", json={"name": "short"}).json()
    whole = packed()

    def slowly():
        yield whole[:20]
        assert ground.http().delete(f"/v1/tokens/{made['id']}").status_code == 204
        yield whole[20:]

    answer = upload(ground.http(made["token"]), slowly())
    assert (answer.status_code, answer.json()["type"]) == (401, "/v1/problems/NotSignedIn")
    assert not ground.events("perron.source.kept.v1")


def test_the_same_archive_again_is_harmless(ground):
    first, again = upload(ground.http()), upload(ground.http())
    assert (first.status_code, first.json()) == (200, again.json())
