"""One emulated machine for all tests here: Debian 12's kernel 6.1, control groups 2, systemd."""

import pytest

from tools.vm import Machine, NotAssessed, image, payload

LONG = 1200.0
PORT = "import json,os; print(json.load(open(os.path.expanduser('~/.perron/settings.json')))['{}'])"
VISIT = """#!/bin/sh
port=$(python3 -c "{port}")
curl -s -o /dev/null -w '%{{http_code}}' -H "Host: $1.localhost" http://127.0.0.1:$port/
"""


class Guest:
    """A machine with a few words of its own."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.run = machine.run

    def up(self, **who: str) -> None:
        """Wait until the platform is healthy: emulation may take longer than `up` waits."""
        self.run("until perron up; do sleep 1; done", timeout=LONG, **who)

    def deploy(self, app: str = "hello", **who: str) -> None:
        """Put an example live, unless it is."""
        words = f"perron deploy /opt/perron/examples/{app} --create"
        self.run(f"perron apps | grep -q {app} || {words}", timeout=LONG, **who)

    def answers(self, app: str = "hello", **who: str) -> None:
        """Wait until visitors of an app get a 200."""
        look = f'until [ "$(visit {app})" = 200 ]; do sleep 1; done'
        self.run(look, timeout=LONG, **who)

    def port(self, name: str, **who: str) -> str:
        """Return a port of the platform, by the name of its setting."""
        return self.run(f'python3 -c "{PORT.format(name)}"', **who).said.strip()


@pytest.fixture(scope="session")
def machine():
    try:
        disks = image(), payload()
    except NotAssessed as why:
        pytest.skip(f"not assessed: {why}")
    with Machine(*disks) as booted:
        script = VISIT.format(port=PORT.format("http_port"))
        booted.run("mkdir -p /usr/local/bin")  # packages make it by a script, and none ran
        booted.run(f"cat > /usr/local/bin/visit <<'E'\n{script}E\nchmod 755 /usr/local/bin/visit")
        yield Guest(booted)
