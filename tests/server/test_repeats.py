"""A server that is killed while it is asked: what is asked again with its key is done once."""

import random
import subprocess
import sys
import threading
import time

import httpx
import pytest

SERVER = """
import sys
from pathlib import Path
import uvicorn
from perron.kit.settings import Home, Settings
from perron.server.app import create_app
from perron.server.database import prepare

home = Home(Path(sys.argv[1]))
app = create_app(prepare(home), home, Settings())
print("ready", flush=True)
uvicorn.run(app, uds=str(home.path / "api.sock"), log_level="critical")
"""
ROUNDS, CALLERS, EACH = 4, 4, 12


class Server:
    def __init__(self, ground):
        self.path = ground.home.path
        self.process = None

    def start(self):
        (self.path / "api.sock").unlink(missing_ok=True)
        command = [sys.executable, "-c", SERVER, str(self.path)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def ask(ground, name):
    """Ask until there is an answer, as the client does; the key stays the same."""
    headers = {"Authorization": f"Bearer {ground.token}", "Idempotency-Key": f"make {name}"}
    end = time.monotonic() + 60
    while True:
        assert time.monotonic() < end, "no answer came"
        transport = httpx.HTTPTransport(uds=str(ground.home.path / "api.sock"))
        try:
            with httpx.Client(transport=transport, base_url="http://api", headers=headers) as http:
                answer = http.post("/v1/apps/shop/environments", json={"name": name})
        except httpx.TransportError:
            threading.Event().wait(0.05)
            continue
        if answer.status_code != 503:
            return answer


@pytest.mark.fault
def test_killing_the_server_again_and_again_doubles_and_loses_no_request(ground):
    server, answers = Server(ground), []
    wanted = [f"env-{caller}-{number}" for caller in range(CALLERS) for number in range(EACH)]

    def call(caller):
        for number in range(EACH):
            answers.append(ask(ground, f"env-{caller}-{number}"))

    server.start()
    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(CALLERS)]
    for thread in threads:
        thread.start()
    try:
        for count in range(1, ROUNDS + 1):
            while len(answers) < count * len(wanted) // (ROUNDS + 2):
                threading.Event().wait(random.random() / 100)
            server.kill()
            server.start()
        for thread in threads:
            thread.join(90)
    finally:
        server.kill()
    assert {each.status_code for each in answers} == {201}
    assert sorted(each.json()["name"] for each in answers) == sorted(wanted)
    made = [each["data"]["name"] for each in ground.events("perron.environment.added.v1")]
    assert sorted(made) == sorted([*wanted, "production"])
