"""Whether server, agent and edge of a home answer, asked of each by itself."""

from typing import Any

from perron.contract.health import HEALTH, NODE
from perron.kit.ask import NoAnswer, ask
from perron.kit.settings import Home


def answer_of(home: Home, who: str) -> dict[str, Any] | None:
    """Return what the server or the agent says of itself; None when nobody answers."""
    socket, path = (home.agent_socket, NODE) if who == "agent" else (home.api_socket, HEALTH)
    try:
        answer: dict[str, Any] = ask(socket, path)
    except NoAnswer:
        return None
    return answer


def is_healthy(home: Home) -> bool:
    """Say whether all three do their work."""
    return agent_well(home) and edge_well(home) and server_well(home)


def agent_well(home: Home) -> bool:
    """Say whether the agent answers."""
    return answer_of(home, "agent") is not None


def edge_well(home: Home) -> bool:
    """Say whether the agent has the edge up."""
    return (answer_of(home, "agent") or {}).get("edge") == "up"


def server_well(home: Home) -> bool:
    """Say whether the server answers."""
    return (answer_of(home, "server") or {}).get("status") == "ok"
