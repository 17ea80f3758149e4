"""A person's command inside a running instance, over the agent's socket."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, unix_connect

from .conftest import AgentProcess, web, wish


@contextmanager
def session(
    agent: AgentProcess, instance: str, argv: Sequence[str], **query: int
) -> Iterator[ClientConnection]:
    asked = urlencode([*(("arg", each) for each in argv), *query.items()])
    uri = f"ws://agent/v1/instances/{instance}/exec?{asked}"
    with unix_connect(str(agent.home.agent_socket), uri) as websocket:
        yield websocket


def hear_out(websocket: ClientConnection) -> tuple[str, int]:
    said = b""
    while isinstance(message := websocket.recv(timeout=20), bytes):
        said += message
    return said.decode(), json.loads(message)["exit"]


@pytest.fixture
def instance(agents: AgentProcess) -> str:
    agents.wish(wish(web(env={"WORD": "secret"})))
    (found,) = agents.until_states("web.1 v1 healthy")
    return found.id


def test_output_input_and_exit_code_pass(agents: AgentProcess, instance: str) -> None:
    with session(agents, instance, ["sh", "-c", "echo $WORD; cat; exit 42"]) as websocket:
        websocket.send(b"typed")
        websocket.send(json.dumps({"end_of_input": True}))
        said, code = hear_out(websocket)
    assert said.endswith("typed")
    assert code == 42


def test_a_terminal_has_the_size_it_is_told(agents: AgentProcess, instance: str) -> None:
    wait = "stty size; trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done"
    asked = session(agents, instance, ["sh", "-c", wait], terminal=1, rows=30, columns=100)
    with asked as websocket:
        first = b""
        while b"ready" not in first:
            piece = websocket.recv(timeout=20)
            assert isinstance(piece, bytes)
            first += piece
        websocket.send(json.dumps({"resize": [44, 120]}))
        said, code = hear_out(websocket)
    assert b"30 100" in first
    assert "44 120" in said
    assert code == 3


def test_a_command_ends_when_whoever_asked_leaves(agents: AgentProcess, instance: str) -> None:
    with session(agents, instance, ["sh", "-c", "echo here; exec sleep 987654"]) as websocket:
        assert websocket.recv(timeout=20) == b"here\n"

    def gone() -> bool:
        with session(agents, instance, ["sh", "-c", "cat /proc/[0-9]*/cmdline"]) as other:
            return "sleep\x00987654" not in hear_out(other)[0]

    agents.until(gone, "gone")


def test_nobody_is_let_into_what_does_not_run(agents: AgentProcess) -> None:
    with (
        session(agents, "ins_none", ["sh"]) as websocket,
        pytest.raises(ConnectionClosed, match="There is no instance"),
    ):
        websocket.recv(timeout=20)
