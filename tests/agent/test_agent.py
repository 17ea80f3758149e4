"""The agent as a whole, with the real edge: wishes, kills, jobs' neighbours, files."""

import contextlib
import http.client
import io
import os
import resource
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

from perron import agent
from perron.contract.node import (
    LOGS,
    PARKED,
    SOURCE,
    VOLUME,
    VOLUME_FILES,
    VOLUME_SNAPSHOTS,
    VOLUMES,
    WISHES,
    EnvironmentWish,
    LogPage,
    WishDocument,
)
from perron.kit.nodeclient import AgentRefused

from .conftest import PROGRAM, AgentProcess, web, wish

SMALL_FILES = 32_768  # room for a log and a status, and not for a database


class Visitors:
    """People who ask all the time, and how often they were let down."""

    def __init__(self, agent: AgentProcess) -> None:
        self.served, self.failed, self.releases = 0, [], []
        self._agent, self._stop = agent, threading.Event()
        self._thread = threading.Thread(target=self._visit)

    def _visit(self) -> None:
        while not self._stop.is_set():
            try:
                status, body = self._agent.visit()
            except OSError as why:
                self.failed.append(str(why))
                continue
            if status == 200:
                self.served += 1
                self.releases.append(body)
            else:
                self.failed.append(f"{status} {body[:80]}")
            time.sleep(0.005)

    def __enter__(self) -> "Visitors":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_a_wish_becomes_an_app_that_answers(agents: AgentProcess) -> None:
    agents.wish(wish(web()))
    agents.until_states("web.1 v1 healthy")
    agents.until_routed()
    assert agents.visit() == (200, "release 1")


def test_redeploys_lose_no_visitor(agents: AgentProcess) -> None:
    agents.wish(wish(web(1)))
    agents.until_routed()
    with Visitors(agents) as visitors:
        for release in range(2, 7):
            agents.wish(wish(web(release - 1), web(release, serving=False)))
            agents.until_states(f"web.1 v{release - 1} healthy", f"web.1 v{release} healthy")
            agents.wish(wish(web(release - 1, serving=False), web(release)))
            agents.until_routed()
            agents.wish(wish(web(release)))
            agents.until_states(f"web.1 v{release} healthy")
    assert not visitors.failed
    assert visitors.releases[-1] == "release 6"


def test_a_stream_in_flight_ends_before_its_instance_does(agents: AgentProcess) -> None:
    agents.wish(wish(web(1)))
    agents.until_routed()
    answers: list[tuple[int, str]] = []
    stream = threading.Thread(target=lambda: answers.append(agents.visit("/slow")))
    stream.start()
    time.sleep(0.3)
    agents.wish(wish(web(2)))
    agents.until_states("web.1 v2 healthy")
    stream.join()
    assert answers[0][0] == 200
    assert answers[0][1].count("x") == 20
    assert agents.report().environments[0].cut == 0


def test_kills_of_the_agent_cost_no_visitor_no_line_and_no_instance(agents: AgentProcess) -> None:
    agents.wish(wish(web(1, 2, env={"COUNT": "1"})))
    agents.until_states("web.1 v1 healthy", "web.2 v1 healthy")
    agents.until_routed()
    before = sorted((each.id, each.pid) for each in agents.instances())
    with Visitors(agents) as visitors:
        for _ in range(4):
            agents.kill()
            time.sleep(0.3)
            agents.start()
    assert not visitors.failed
    agents.until_routed()
    assert sorted((each.id, each.pid) for each in agents.instances()) == before
    agents.wish(wish())
    agents.until(lambda: not agents.instances(), "empty")
    page = LogPage.model_validate(
        agents.node.get(LOGS, {"environment": "env_a", "source": "app", "limit": 10_000})
    )
    seen: dict[tuple[str, str], int] = {}
    for line in page.lines:
        start, word, number = line.text.split()
        assert word == "line"
        key = (line.instance, start)
        assert int(number) == seen.get(key, int(number) - 1) + 1
        seen[key] = int(number)
    assert len(seen) == 2


def test_an_instance_that_fell_while_no_agent_lived_is_started_again(
    agents: AgentProcess,
) -> None:
    agents.wish(wish(web()))
    agents.until_routed()
    agents.kill()
    with contextlib.suppress(OSError, IndexError):  # the edge tells it as 502, or closes
        agents.visit("/crash")
    agents.start()
    (found,) = agents.until_states("web.1 v1 healthy")
    assert found.last_exit is not None
    assert found.last_exit.code == 7
    agents.until_routed()
    assert agents.visit()[0] == 200


def test_a_kill_in_the_middle_of_a_rollout_is_made_up_for(agents: AgentProcess) -> None:
    agents.wish(wish(web(1)))
    agents.until_routed()
    with Visitors(agents) as visitors:
        for release in range(2, 6):
            agents.wish(wish(web(release)))
            time.sleep(0.08 * release)
            agents.kill()
            agents.start()
            agents.until_states(f"web.1 v{release} healthy")
            agents.until_routed()
    assert not visitors.failed
    assert len(list((agents.home.node / "instances").iterdir())) == 1


def test_an_older_or_empty_document_never_ends_anything(agents: AgentProcess) -> None:
    agents.wish(wish(web()))
    agents.until_routed()
    with pytest.raises(AgentRefused, match="heard generation 1") as refused:
        agents.node.put(WISHES, WishDocument(generation=0, wishes=[]))
    assert refused.value.status == 409
    agents.wish()
    assert agents.report().environments[0].parked
    assert agents.visit() == (200, "release 1")
    agents.kill()
    agents.start()
    assert agents.report().environments[0].parked
    assert agents.visit() == (200, "release 1")
    agents.node.delete(PARKED.format(environment="env_a"))
    agents.until(lambda: not agents.report().environments, "gone")
    assert agents.visit()[0] == 404


def test_what_is_wished_for_cannot_be_let_go(agents: AgentProcess) -> None:
    agents.wish(wish())
    with pytest.raises(AgentRefused, match="is wished for"):
        agents.node.delete(PARKED.format(environment="env_a"))


def test_gone_leaves_no_process_file_port_or_uid(agents: AgentProcess) -> None:
    agents.wish(wish(web()), wish(web(), environment="env_b", app="other"))
    agents.until_states("web.1 v1 healthy", "web.1 v1 healthy")
    agents.node.put(VOLUME.format(environment="env_a", volume="data"), query={"size": 1000})
    agents.wish(wish(web(), environment="env_b", app="other"), gone=("env_a",))
    agents.until(lambda: len(agents.report().environments) == 1, "gone")
    assert [each.environment for each in agents.instances()] == ["env_b"]
    assert not (agents.home.node / "volumes" / "env_a").exists()
    assert len(list((agents.home.node / "instances").iterdir())) == 1
    assert agents.visit()[0] == 404
    assert agents.visit(host="other.localhost")[0] == 200


def test_a_message_of_another_age_is_refused_by_name(agents: AgentProcess) -> None:
    with pytest.raises(AgentRefused, match="speaks version 9") as refused:
        agents.node.put(WISHES, WishDocument(version=9, generation=5, wishes=[]))
    assert refused.value.status == 409
    assert refused.value.title == "OtherVersion"


def test_a_second_agent_says_who_is_there_and_ends(agents: AgentProcess) -> None:
    words = [sys.executable, "-c", PROGRAM, str(agents.home.path), "1", "2"]
    second = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert second.returncode == 75
    assert "An agent runs already" in second.stderr


def test_a_source_is_kept_only_under_its_own_digest(agents: AgentProcess) -> None:
    with pytest.raises(AgentRefused, match="not 0000"):
        agents.node.request("PUT", SOURCE.format(digest="0" * 64), body=b"something")
    name = "3fc9b689459d738f8c88a3a48aa9e33542016b7a4052e001aaa536fca74813cb"
    agents.node.request("PUT", SOURCE.format(digest=name), body=b"something")
    assert [each.name for each in (agents.home.node / "sources").iterdir()] == [name]


def test_a_volume_can_be_filled_snapshotted_fetched_and_destroyed(agents: AgentProcess) -> None:
    place = {"environment": "env_a", "volume": "data"}
    agents.node.put(VOLUME.format(**place), query={"size": 1 << 20})
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as files:
        entry = tarfile.TarInfo("folder/hello.txt")
        entry.size = 5
        files.addfile(entry, io.BytesIO(b"hello"))
    agents.node.request("PUT", VOLUME_FILES.format(**place), body=archive.getvalue())
    with agents.node.stream("GET", VOLUME_FILES.format(**place)) as answer:
        fetched = io.BytesIO(b"".join(answer.iter_bytes()))
    with tarfile.open(fileobj=fetched) as files:
        assert "folder/hello.txt" in files.getnames()
    kept = agents.node.request("POST", VOLUME_SNAPSHOTS.format(**place))
    assert len(kept["snapshots"]) == 1
    (seen,) = agents.node.get(VOLUMES.format(environment="env_a"))
    assert seen["used"] > 0
    agents.node.delete(VOLUME.format(**place))
    assert agents.node.get(VOLUMES.format(environment="env_a")) == []


def test_visitors_of_an_environment_with_nothing_read_a_page(agents: AgentProcess) -> None:
    empty: EnvironmentWish = wish()
    agents.wish(empty)
    agents.until_routed()
    status, body = agents.visit()
    assert status in (404, 503)
    assert "<html" in body


def test_a_rest_of_everything_is_no_crash_and_all_comes_back(agents: AgentProcess) -> None:
    agents.wish(wish(web(1, 2)))
    agents.until_routed()
    assert agents.process
    agents.process.terminate()
    agents.process.wait(20)
    assert agent.stop_everything(agents.home, agents.settings) == 2
    with pytest.raises(OSError, match="refused"):
        agents.visit()
    agents.start()
    for each in agents.until_states("web.1 v1 healthy", "web.2 v1 healthy"):
        assert (each.restarts, each.last_exit) == (0, None)
    agents.until_routed()
    assert agents.visit() == (200, "release 1")


def lives(pid: int | None) -> bool:
    """Is it more than a zombie that the machine's first process has not buried yet?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_instances_nobody_has_a_record_of_are_ended(agents: AgentProcess) -> None:
    agents.wish(wish(web(1)))
    (before,) = agents.until_states("web.1 v1 healthy")
    agents.kill()
    for file in agents.home.path.glob("node.db*"):
        file.unlink()
    agents.start()
    assert not lives(before.pid)
    agents.wish(wish(web(1)))
    agents.until_states("web.1 v1 healthy")
    assert len(list((agents.home.node / "instances").iterdir())) == 1


def test_all_killed_at_once_comes_back(agents: AgentProcess) -> None:
    agents.wish(wish(web(1, 2)))
    agents.until_states("web.1 v1 healthy", "web.2 v1 healthy")
    for each in agents.instances():
        assert each.pid
        os.kill(each.pid, signal.SIGKILL)
    agents.kill()
    agents.start()
    agents.until_states("web.1 v1 healthy", "web.2 v1 healthy")
    agents.until_routed()
    assert agents.visit() == (200, "release 1")
    assert all(each.restarts == 1 for each in agents.instances())


def test_a_damaged_database_is_told_with_what_to_do(agents: AgentProcess) -> None:
    agents.kill()
    for path in agents.home.path.glob("node.db*"):
        path.unlink()
    agents.home.node_database.write_text("no database at all, but a file of some length" * 100)
    words = [sys.executable, "-c", PROGRAM, str(agents.home.path)]
    words += [str(agents.http_port), str(agents.https_port)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "node.db is damaged" in done.stderr
    assert f"mv {agents.home.node_database}" in done.stderr
    assert "Traceback" not in done.stderr
    agents.home.node_database.unlink()
    agents.start()


def test_after_the_loss_of_its_database_files_keep_their_owner(agents: AgentProcess) -> None:
    for number in range(2):
        agents.node.put(VOLUME.format(environment=f"env{number}", volume="data"), None, {"size": 1})
    volumes = {each: each.stat().st_uid for each in agents.home.node.glob("volumes/*/*")}
    agents.kill()
    for path in agents.home.path.glob("node.db*"):
        path.unlink()
    agents.start()
    for number in (1, 0):
        agents.node.put(VOLUME.format(environment=f"env{number}", volume="more"), None, {"size": 1})
        folder = agents.home.node / "volumes" / f"env{number}"
        assert (folder / "more").stat().st_uid == volumes[folder / "data"]


def test_a_database_that_cannot_be_written_stops_no_instance(agents: AgentProcess) -> None:
    agents.wish(wish(web()))
    (before,) = agents.until_states("web.1 v1 healthy")
    agents.until_routed()
    assert agents.process
    pid = agents.process.pid
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALL_FILES, resource.RLIM_INFINITY))
    with contextlib.suppress(ValueError, OSError, http.client.HTTPException):
        agents.visit("/crash")  # it falls, and nothing of it can be written down
    agents.until(lambda: any(each.restarts for each in agents.instances()), "started again")
    (after,) = agents.until_states("web.1 v1 healthy")
    assert after.pid != before.pid
    said = (agents.home.path / "agent.log").read_text()
    assert "node.db cannot be written" in said
    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
    agents.until(lambda: agents.visit() == (200, "release 1"), "served")
