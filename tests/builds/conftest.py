"""Sources to look at: files in a dictionary, and the interpreters of an imagined machine."""

import pytest

from perron import builds
from perron.contract.node import Interpreter

PYTHONS = {"3.11.2": "/usr/bin/python3", "3.12.1": "/opt/py/3.12.1/bin/python3"}


def machine(*versions, node=("20.20.2",)):
    pythons = [
        Interpreter(
            language="python",
            version=each,
            path=PYTHONS.get(each, f"/opt/{each}/bin/python3"),
            source="PATH",
        )
        for each in versions or PYTHONS
    ]
    nodes = [
        Interpreter(language="node", version=each, path="/usr/bin/node", source="PATH")
        for each in node
    ]
    return [*pythons, *nodes]


@pytest.fixture
def detect():
    def detect(files, *, root=".", interpreters=None, sent=None):
        known = files if sent is None else {name: files[name] for name in sent}
        return builds.detect(
            list(files),
            known.get,
            root=root,
            interpreters=machine() if interpreters is None else interpreters,
            source="0" * 64,
        )

    return detect


@pytest.fixture
def offers():
    return machine
