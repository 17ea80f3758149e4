"""The socket that every engine plugs into."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

from perron.contract.node import (
    JobReport,
    JobSpec,
    NodeView,
    Report,
    RouterCount,
    Traffic,
    WishDocument,
)


class Engine(Protocol):
    """Makes wishes true and runs jobs, wherever that is.

    Every call may be repeated safely. An engine raises ``AgentAway`` when it cannot be
    reached and ``AgentRefused`` when it will not do what is asked.
    """

    def apply(self, document: WishDocument) -> None:
        """Hear everything that should run."""
        ...

    def report(self, *, after: int | None = None, wait: float = 0.0) -> Report:
        """Say what runs; with ``after``, when that report's sequence has been passed."""
        ...

    def let_go(self, environment: str) -> None:
        """End what was parked for an environment."""
        ...

    def node(self) -> NodeView:
        """Say what this engine is and offers."""
        ...

    def ask_job(self, name: str, spec: JobSpec) -> JobReport:
        """Have a job done once; asking twice by one name is asking once."""
        ...

    def job(self, name: str, *, wait: float = 0.0) -> JobReport:
        """Say how far a job came; with ``wait``, when that changes."""
        ...

    def cancel_job(self, name: str) -> None:
        """End a job and everything it started."""
        ...

    def put_source(self, digest: str, file: Path) -> None:
        """Hand over a source, unless it is there."""
        ...

    def has_build(self, identity: str) -> bool:
        """Say whether a finished build is where its instances will run."""
        ...

    def unused_builds(self, before: datetime) -> list[str]:
        """Name the builds that nothing there runs, and nobody made or found since ``before``."""
        ...

    def drop_build(self, identity: str) -> None:
        """Forget a build that nothing needs any more."""
        ...

    def router_count(
        self, environment: str, *, since: datetime, until: datetime, release: int | None = None
    ) -> RouterCount:
        """Say what visitors asked between two moments, and what they did not get."""
        ...

    def traffic(self) -> Traffic:
        """Say how many requests every environment had in each minute of the last hour."""
        ...
