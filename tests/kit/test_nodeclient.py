"""What the client of the agent needs of the machine."""

from pathlib import Path

import pytest

from perron.kit.nodeclient import AgentAway, NodeClient


def test_the_agent_is_asked_where_the_file_of_authorities_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    client = NodeClient(tmp_path / "nobody.sock")
    with pytest.raises(AgentAway):
        client.get("/v1/node")
    client.close()
