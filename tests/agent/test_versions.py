"""An agent and servers of other versions: one apart they work together, further they say no."""

import http.client
import json
import socket
from typing import Any

import pytest

from perron.contract.node import (
    ATTACH,
    HEADER,
    NODE,
    REPORT,
    VERSION,
    WISHES,
    NodeView,
    WishDocument,
    is_understood,
    unknown_fields,
    version_told,
)
from perron.kit.nodeclient import AgentRefused, NodeClient

from .conftest import AgentProcess, web, wish


def asked(
    here: AgentProcess, method: str, path: str, version: int | None, body: Any = None
) -> tuple[int, dict[str, str], Any]:
    """Ask the agent as a server of that version would; None says none, as the first one."""
    connection = http.client.HTTPConnection("agent")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(here.home.agent_socket))
    headers = {"content-type": "application/json"} | ({HEADER: str(version)} if version else {})
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    said, told = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return answer.status, told, json.loads(said) if said else None


def document(here: AgentProcess, version: int, **more: object) -> dict[str, Any]:
    """Return wishes as a server of that version writes them."""
    here.generation += 1
    one = wish(web()).model_dump(mode="json")
    one["sets"][0] |= more
    return {"version": version, "generation": here.generation, "wishes": [one], "gone": []} | more


def test_what_is_one_apart_is_understood_and_nothing_else() -> None:
    told = [each for each in range(VERSION - 3, VERSION + 4) if is_understood(each)]
    assert told == [VERSION - 1, VERSION, VERSION + 1]
    assert [version_told(each) for each in (None, "", "x", "7", "9" * 30)] == [1, 1, 1, 7, 1]


def test_unknown_fields_are_named_by_where_they_are() -> None:
    told = {"generation": 1, "colour": 1, "wishes": [
        {"environment": "e", "sets": [{"env": {"ANY": "thing"}, "health": {"grpc": True}}, None]},
        {"hosts": [], "warm": {"deep": 1}},
    ]}  # fmt: skip
    found = unknown_fields(WishDocument, told)
    assert found == {"colour", "wishes.sets.health.grpc", "wishes.warm"}
    assert unknown_fields(WishDocument, "nonsense") == set()


def test_messages_of_the_version_before_are_heard(agents: AgentProcess) -> None:
    before = VERSION - 1
    status, told, _ = asked(agents, "PUT", WISHES, before, document(agents, before))
    assert (status, told[HEADER]) == (204, str(VERSION))
    agents.until_routed()
    assert asked(agents, "GET", REPORT, before)[2]["environments"][0]["routed"] is True


def test_additions_of_the_next_version_do_no_harm_and_are_named(agents: AgentProcess) -> None:
    newer = document(agents, VERSION + 1, colour="blue")
    for _ in range(2):
        assert asked(agents, "PUT", WISHES, VERSION + 1, newer)[0] == 204
    agents.until_routed()
    node = NodeView.model_validate(asked(agents, "GET", NODE, VERSION + 1)[2])
    assert node.not_understood == ["colour", "wishes.sets.colour"]
    log = (agents.home.path / "agent.log").read_text()
    assert log.count("does not know, and does without: colour, wishes.sets.colour") == 1
    agents.wish(wish(web()))
    assert agents.node.get(NODE)["not_understood"] == []


def test_two_versions_apart_is_refused_by_name_and_what_runs_goes_on(agents: AgentProcess) -> None:
    agents.wish(wish(web()))
    agents.until_routed()
    far = VERSION + 2
    for method, path, body in (
        ("PUT", WISHES, document(agents, far)), ("GET", REPORT, None), ("GET", "/v1/nowhere", None),
    ):  # fmt: skip
        status, _, told = asked(agents, method, path, far, body)
        assert (status, told["title"]) == (409, "OtherVersion")
        assert (
            f"version {far} of what is said between the two, the agent {VERSION}"
            in (told["detail"])
        )
        assert "perron up" in told["detail"]
    assert asked(agents, "PUT", WISHES, VERSION, document(agents, far))[0] == 409, "by its body"
    assert asked(agents, "GET", NODE, far)[0] == 200, "who it is, everybody may ask"
    assert asked(agents, "GET", ATTACH.format(job="run-x"), far)[0] == 409
    assert agents.visit()[0] == 200


def test_an_answer_of_two_versions_apart_is_not_read(
    agents: AgentProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = NodeClient(agents.home.agent_socket)
    monkeypatch.setattr("perron.contract.node.versions.VERSION", VERSION - 2)
    with pytest.raises(AgentRefused, match="more than one apart") as no:
        node.get(NODE)
    assert (no.value.status, no.value.title) == (409, "OtherVersion")
    node.close()
