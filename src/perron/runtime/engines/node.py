"""Instances on one machine: hands wishes and jobs to the agent that owns them."""

import logging
import time
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

from perron.contract.node import (
    BUILD,
    BUILDS,
    JOB,
    NODE,
    PARKED,
    REPORT,
    ROUTER,
    SOURCE,
    TRAFFIC,
    VERSION,
    WISHES,
    EnvironmentReport,
    JobKind,
    JobReport,
    JobSpec,
    NodeView,
    Report,
    RouterCount,
    Traffic,
    WishDocument,
    unknown_fields,
)
from perron.kit.nodeclient import AgentRefused, NodeClient
from perron.kit.settings import Home

CHUNK = 1 << 20
SINCE = {JobKind.CRON: 2}  # the version a kind of job came with, where it is not the first
WHOLE_EVERY = 10.0  # seconds: what is measured of instances is no change, and told by the whole
log = logging.getLogger(__name__)


@cache
def client_of(home: Home) -> NodeClient:
    """Return the one client of a home's agent, whose connections stay open."""
    return NodeClient(home.agent_socket)


class NodeEngine:
    """Speaks the agent's API over its unix socket."""

    def __init__(self, home: Home) -> None:
        self._node = client_of(home)
        self._seen: Report | None = None
        self._whole_at = 0.0
        self._strange: set[str] = set()

    def apply(self, document: WishDocument) -> None:
        """Send every wish as one document."""
        self._node.put(WISHES, document)

    def report(self, *, after: int | None = None, wait: float = 0.0) -> Report:
        """Ask what runs."""
        seen = self._seen
        changes = seen is not None and seen.sequence == after and self._is_whole_recent()
        asked = {"after": after, "wait": wait or None, "changes": "true" if changes else None}
        told = self._node.get(REPORT, asked)
        report = Report.model_validate(told)
        if report.version > VERSION:
            self._note(unknown_fields(Report, told))
        if not report.partial:
            self._whole_at = time.monotonic()
        elif seen is not None:
            report = merged(seen, report)
        self._seen = report
        return report

    def _note(self, strange: set[str]) -> None:
        """Say once what a newer agent tells that this version does not know."""
        if fresh := sorted(strange - self._strange):
            self._strange.update(fresh)
            log.warning(
                "The agent tells what this server does not know, and it is left out: %s. "
                "A newer server knows it: perron up", ", ".join(fresh[:50]),
            )  # fmt: skip

    def _check_known(self, kind: JobKind) -> None:
        if self._node.speaks is None:
            self._node.get(NODE)
        if (self._node.speaks or VERSION) < (since := SINCE.get(kind, 0)):
            raise AgentRefused(
                409,
                f"The agent of this machine is of an earlier version, which knows no {kind} jobs "
                f"(it speaks {self._node.speaks}, they came with {since}). Next: perron up",
                "OtherVersion",
            )

    def _is_whole_recent(self) -> bool:
        return time.monotonic() - self._whole_at < WHOLE_EVERY

    def let_go(self, environment: str) -> None:
        """End what was parked."""
        self._node.delete(PARKED.format(environment=environment))

    def node(self) -> NodeView:
        """Ask what the machine is and offers."""
        return NodeView.model_validate(self._node.get(NODE))

    def ask_job(self, name: str, spec: JobSpec) -> JobReport:
        """Have a job done once."""
        self._check_known(spec.kind)
        return JobReport.model_validate(self._node.put(JOB.format(job=name), spec))

    def job(self, name: str, *, wait: float = 0.0) -> JobReport:
        """Ask how far a job came."""
        query = {"wait": wait or None}
        return JobReport.model_validate(self._node.get(JOB.format(job=name), query))

    def cancel_job(self, name: str) -> None:
        """End a job."""
        self._node.delete(JOB.format(job=name))

    def put_source(self, digest: str, file: Path) -> None:
        """Send a source in pieces; the agent checks the digest."""
        self._node.request("PUT", SOURCE.format(digest=digest), body=_pieces(file))

    def has_build(self, identity: str) -> bool:
        """Ask whether a finished build is there, whole."""
        try:
            self._node.get(BUILD.format(digest=identity))
        except AgentRefused as no:
            if no.status != 404:
                raise
            return False
        return True

    def unused_builds(self, before: datetime) -> list[str]:
        """Ask which builds nothing runs; an agent of an earlier version does not know."""
        try:
            names: list[str] = self._node.get(BUILDS, {"before": before.isoformat()})
        except AgentRefused as no:
            if no.status != 404:
                raise
            return []
        return names

    def drop_build(self, identity: str) -> None:
        """Have a build forgotten; one that is not there needs nothing."""
        try:
            self._node.delete(BUILD.format(digest=identity))
        except AgentRefused as no:
            if no.status != 404:
                raise

    def router_count(
        self, environment: str, *, since: datetime, until: datetime, release: int | None = None
    ) -> RouterCount:
        """Ask what the edge saw."""
        query: dict[str, str | int] = {"since": since.isoformat(), "until": until.isoformat()}
        if release is not None:
            query["release"] = release
        return RouterCount.model_validate(
            self._node.get(ROUTER.format(environment=environment), query)
        )

    def traffic(self) -> Traffic:
        """Ask how many requests there were."""
        return Traffic.model_validate(self._node.get(TRAFFIC))


def merged(before: Report, partial: Report) -> Report:
    """Return the whole report that a partial one makes of the one before it."""
    changed = {each.environment: each for each in partial.environments}
    known = {each.environment for each in before.environments}
    kept = [
        changed.get(each.environment) or _answering(each, partial.generation)
        for each in before.environments
    ]
    fresh = [each for each in partial.environments if each.environment not in known]
    return partial.model_copy(update={"partial": False, "environments": [*kept, *fresh]})


def _answering(each: EnvironmentReport, generation: int) -> EnvironmentReport:
    if each.parked or each.generation == generation:
        return each
    return each.model_copy(update={"generation": generation})


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(CHUNK):
            yield piece
