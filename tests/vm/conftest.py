"""One emulated machine for all tests here: Debian 12's kernel 6.1, control groups 2, systemd."""

import json
from typing import Any

import pytest

from tools.vm import Machine, NotAssessed, image, payload

LONG = 1800.0  # emulated, and beside others
# The plug-ins of pytest that are not needed there cost half a minute of emulation.
PYTEST = (
    "cd /opt/perron && PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest -q -x "
    "-p pytest_timeout -p no:cacheprovider --timeout 1500"
)
VISIT = """#!/bin/sh
port=$(sed -n 's/.*"http_port": *\\([0-9]*\\).*/\\1/p' "$HOME/.perron/settings.json")
curl -s -o /dev/null -w '%{http_code}' -H "Host: $1.localhost" "http://127.0.0.1:${port:-80}/"
"""


class Guest:
    """A machine with a few words of its own."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.run = machine.run

    def install(self, **who: str) -> None:
        """Hand a platform over to systemd, and wait until it is healthy."""
        self.run("perron up --print-systemd > ~/units.sh && sh ~/units.sh", timeout=LONG, **who)
        self.up(**who)

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

    def reads(self, command: str, **who: str) -> Any:
        """Run a command that answers in JSON, once the server is there."""
        look = f"until {command} --json > ~/said 2> ~/why; do sleep 1; done; cat ~/said"
        return json.loads(self.run(look, timeout=LONG, **who).said)

    def setting(self, name: str) -> str:
        """Return a setting of root's platform."""
        code = f"import json; print(json.load(open('/root/.perron/settings.json'))['{name}'])"
        return self.run(f'python3 -c "{code}"').said.strip()

    def begin(self, name: str, command: str) -> None:
        """Start a command beside all else; `ended` waits for it."""
        told = f"({command}) > /root/{name}.said 2>&1; echo $? > /root/{name}.code"
        self.run(f"cat > /root/{name}.sh <<'E'\n{told}\nE\nsetsid sh /root/{name}.sh &")

    def ended(self, name: str) -> None:
        """Wait for what was begun; it ended well."""
        look = f"until [ -s /root/{name}.code ]; do sleep 1; done; cat /root/{name}.said"
        self.run(f"{look}; exit $(cat /root/{name}.code)", timeout=LONG)


@pytest.fixture(scope="session")
def machine():
    try:
        disks = image(), payload()
    except NotAssessed as why:
        pytest.skip(f"not assessed: {why}")
    with Machine(*disks) as booted:
        # Packages make that folder by a script, and none ran.
        write = f"mkdir -p /usr/local/bin; cat > /usr/local/bin/visit <<'E'\n{VISIT}E\n"
        booted.run(f"{write}chmod 755 /usr/local/bin/visit")
        yield Guest(booted)


@pytest.fixture(scope="session")
def served(machine):
    """A platform of root's that systemd started, with an app on it."""
    machine.install()
    machine.deploy()
    machine.answers()
    return machine
