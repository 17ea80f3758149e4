"""Every engine keeps the promise: the one that remembers, and a real agent."""

import time

import pytest

from perron.kit.nodeclient import AgentAway
from perron.kit.settings import Home
from perron.runtime.engines.memory import MemoryEngine
from perron.runtime.engines.node import NodeEngine
from perron.runtime.testing import EnginePromise


def settle(is_so, within=20.0):
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, "it never became so"
        time.sleep(0.02)


class TestMemory(EnginePromise):
    @pytest.fixture
    def engine(self):
        return MemoryEngine()

    @pytest.fixture
    def settle(self):
        return settle

    @pytest.fixture
    def build(self):
        return "b1"

    @pytest.fixture
    def command(self):
        return "exec sleep 60"


def test_an_agent_that_is_not_there_is_away(tmp_path):
    with pytest.raises(AgentAway, match="does not answer"):
        NodeEngine(Home(tmp_path)).report()
