"""What can go wrong between a caller and the platform."""

from typing import Any


class Fault(Exception):
    """A call did not give what was asked for."""


class Unreachable(Fault):
    """Nobody answered; as far as we know, nothing was asked of the platform."""


class Refused(Fault):
    """The platform said no, and why; ``facts`` are the problem's further fields."""

    def __init__(self, status: int, problem: dict[str, Any], *, request: str = "") -> None:
        self.status = status
        self.problem = problem
        self.type = str(problem.get("type", ""))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", "")) or self.title or f"HTTP {status}"
        self.facts = {key: value for key, value in problem.items() if key not in _OF_PROBLEM}
        self.request = request or str(problem.get("request_id", ""))
        super().__init__(self.detail)

    @property
    def code(self) -> str:
        """The stable last part of the problem's type, such as ``AppNotFound``."""
        return self.type.rstrip("/").rpartition("/")[2] or self.title


_OF_PROBLEM = ("type", "title", "status", "detail", "instance", "request_id")
