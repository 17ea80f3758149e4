"""A real agent without a server: builds folders by detected plans, runs them, visits them."""

import gzip
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from perron import builds
from perron.builds import Detected
from perron.contract.node import (
    EnvironmentWish,
    Fetch,
    JobKind,
    JobReport,
    JobSpec,
    LogPage,
    NodeView,
    ProcessSet,
    Report,
    VolumeMount,
    WishDocument,
)
from perron.kit.nodeclient import AgentAway, NodeClient
from perron.kit.settings import Home, Settings, load

from .platform import Platform, offered_pythons

_HOME = (
    "import os; from perron import agent; from perron.kit.settings import Home, load; "
    "h = Home.from_environment(os.environ); "
)
ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class Built:
    """What a folder became; ``report.state`` says whether it became anything."""

    detected: Detected
    report: JobReport
    identity: str
    log: str
    seconds: float


class Workshop:
    """An agent in a home of its own; ``build`` and ``serve`` are what a deploy does."""

    def __init__(self, slot: int, **settings: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="prw", dir="/tmp"))
        offered = {"PERRON_SLOT": str(slot), "PERRON_PYTHONS": offered_pythons()}
        self.rig = Platform(folder, **(offered | settings))
        self.home = Home(self.rig.home)
        self.settings: Settings = load(self.home, self.rig.environment)
        self.home.run.mkdir(parents=True, mode=0o700)
        self.home.logs.mkdir(mode=0o700)
        self.generation = 0
        self.node = NodeClient(self.home.agent_socket)
        self.start()

    def start(self) -> None:
        with (self.home.logs / "agent.log").open("ab") as log:
            self.agent = subprocess.Popen(
                [sys.executable, "-c", f"{_HOME}agent.run(h, load(h))"],
                env=self.rig.environment, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.until(self._answers, "the agent answers")

    def build(
        self, folder: Path, *, app: str = "a", env: dict[str, str] | None = None, root: str = ".",
        team: str = "team_1",
    ) -> Built:  # fmt: skip
        began = time.monotonic()
        source = builds.keep_source(self.home, self.settings, [packed(folder)])
        names = [str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()]
        detected = builds.detect(
            names,
            lambda name: (folder / name).read_text(errors="replace"),
            root=root,
            interpreters=NodeView.model_validate(self.node.get("/v1/node")).interpreters,
            source=source.digest,
        )
        job = f"build-{app}-{time.monotonic_ns()}"
        identity = job.removeprefix("build-")
        spec = JobSpec(
            kind=JobKind.BUILD, environment=f"env_{app}", app=app, team=team, app_name=app,
            environment_name="production", source=source.digest, output=identity,
            plan=detected.plan, env=env or {}, mask=list((env or {}).values()),
            fetch=Fetch(ca_bundle=os.environ.get("SSL_CERT_FILE")),
        )  # fmt: skip
        report = self.job(job, spec)
        return Built(detected, report, identity, self.log(job), time.monotonic() - began)

    def job(self, name: str, spec: JobSpec) -> JobReport:
        report = JobReport.model_validate(self.node.put(f"/v1/jobs/{name}", spec))
        end = time.monotonic() + 600
        while report.state not in ENDED and time.monotonic() < end:
            report = JobReport.model_validate(self.node.get(f"/v1/jobs/{name}", {"wait": 10}))
        return report

    def release(self, built: Built, *, app: str = "a") -> JobReport:
        """Run the release command, with the app's volumes."""
        spec = JobSpec(
            kind=JobKind.RELEASE, environment=f"env_{app}", app=app, team="team_1", app_name=app,
            environment_name="production", release=1, build=built.identity,
            command=built.detected.manifest.release_command or "true", volumes=_volumes(built),
        )  # fmt: skip
        return self.job(f"release-{built.identity}", spec)

    def serve(self, built: Built, *, app: str = "a", env: dict[str, str] | None = None) -> None:
        """Wish for one instance of each process type, and wait until all are well."""
        self.generation += 1
        sets = [
            ProcessSet(
                process=name,
                release=self.generation,
                revision=f"{self.generation}.0",
                build=built.identity,
                command=spec.command,
                count=1,
                health=spec.health,
                limits=spec.limits,
                env=env or {},
                volumes=_volumes(built),
            )
            for name, spec in built.detected.manifest.processes.items()
        ]
        wish = EnvironmentWish(
            environment=f"env_{app}", app=app, team="team_1", app_name=app,
            environment_name="production", hosts=[f"{app}.localhost"], sets=sets,
        )  # fmt: skip
        self.node.put("/v1/wishes", WishDocument(generation=self.generation, wishes=[wish]))
        self.until(lambda: self._well(f"env_{app}", len(sets)), f"{app} is well", within=60)

    def log(self, job: str) -> str:
        """Return all a job said, once all of it was read."""
        lines: list[str] = []
        after = 0
        while True:
            query = {"environment": "", "job": job, "after": after, "limit": 1000}
            query["environment"] = self._environment(job)
            page = LogPage.model_validate(self.node.get("/v1/logs", query))
            lines += [line.text for line in page.lines]
            if not page.lines:
                return "\n".join(lines)
            after = page.next

    def close(self) -> None:
        """End the agent and all it started; leave nothing."""
        self.agent.send_signal(signal.SIGTERM)
        try:
            self.agent.wait(20)
        except subprocess.TimeoutExpired:
            self.agent.kill()
        end = [sys.executable, "-c", f"{_HOME}agent.stop_everything(h, load(h))"]
        subprocess.run(end, env=self.rig.environment, check=False)
        self.node.close()
        for pid in self.rig.leftovers():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.rig.folder, ignore_errors=True)

    def until(self, is_so, what: str, within: float = 30) -> None:
        end = time.monotonic() + within
        while not is_so():
            if time.monotonic() > end:
                raise AssertionError(f"it never became so: {what}\n{self.rig.tail()}")
            time.sleep(0.05)

    def _environment(self, job: str) -> str:
        return f"env_{job.split('-')[1]}"

    def _well(self, environment: str, count: int) -> bool:
        report = Report.model_validate(self.node.get("/v1/report"))
        here = [each for each in report.environments if each.environment == environment]
        seen = [each for place in here for each in place.instances]
        now = [each for each in seen if each.release == self.generation]
        routed = all(each.routed and each.generation == self.generation for each in here)
        well = len(now) == count == len(seen) and all(each.state == "healthy" for each in now)
        return well and routed

    def _answers(self) -> bool:
        try:
            return bool(self.node.get("/v1/node"))
        except AgentAway:
            if self.agent.poll() is not None:
                raise AssertionError(self.rig.tail()) from None
            return False


def packed(folder: Path) -> bytes:
    """Return a folder as the archive a client would send."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            if not {"node_modules", ".venv", "__pycache__", ".git"} & set(path.parts):
                info = tar.gettarinfo(path, str(path.relative_to(folder)))
                info.mtime = info.uid = info.gid = 0
                with path.open("rb") if info.isreg() else io.BytesIO() as file:
                    tar.addfile(info, file)
    return gzip.compress(plain.getvalue(), 1, mtime=0)


def _volumes(built: Built) -> list[VolumeMount]:
    return [
        VolumeMount(name=name, mount=each.mount, size=each.size)
        for name, each in built.detected.manifest.volumes.items()
    ]
