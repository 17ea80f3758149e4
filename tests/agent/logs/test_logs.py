"""The agent's logs, with real files and real kills."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perron.agent.logs import Batch, Block, Labels, Logs, Query, Store, Told
from perron.agent.logs.tails import can_punch
from perron.contract.node import LogPage
from perron.kit import clock
from perron.kit.settings import Home, Settings

APP = Labels("env_1", "app", "web", "web.1", 3)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    opened = Logs(Home(tmp_path), Settings())
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    path = tmp_path / "output"
    path.touch()
    return path


def read(logs: Logs, **query: object) -> LogPage:
    return asyncio.run(logs.read(Query("env_1", **query)))  # type: ignore[arg-type]


def texts(logs: Logs, **query: object) -> list[str]:
    return [line.text for line in read(logs, **query).lines]


def add(
    logs: Logs, environment: str, moment: datetime, *said: str, release: int | None = None
) -> None:
    labels = Labels(environment, "router", release=release)
    logs.store.write([Batch(labels, list(said), [moment] * len(said))])


def until(what: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_lines_are_read_as_they_are_written(logs: Logs, output: Path) -> None:
    logs.watch(output, APP)
    append(output, b"one\ntwo\n")
    until(lambda: texts(logs) == ["one", "two"])
    line = read(logs).lines[0]
    assert (line.source, line.process, line.instance, line.release) == ("app", "web", "web.1", 3)
    assert not line.late
    assert clock.now() - line.time < timedelta(seconds=10)


def test_a_line_counts_when_it_has_ended_or_the_file_has(logs: Logs, output: Path) -> None:
    logs.watch(output, APP)
    append(output, b"whole\nha")
    until(lambda: texts(logs) == ["whole"])
    append(output, b"lf")
    logs.finish(output)
    assert texts(logs) == ["whole", "half"]


def test_watching_again_reads_nothing_twice(logs: Logs, output: Path) -> None:
    logs.watch(output, APP)
    append(output, b"one\n")
    until(lambda: texts(logs) == ["one"])
    logs.watch(output, APP)
    append(output, b"two\n")
    until(lambda: len(texts(logs)) == 2)
    assert texts(logs) == ["one", "two"]


def test_a_reader_waits_for_the_next_line(logs: Logs, output: Path) -> None:
    logs.watch(output, APP)

    async def follow() -> list[str]:
        page = await logs.read(Query("env_1"))
        asyncio.get_running_loop().call_later(0.1, append, output, b"later\n")
        page = await logs.read(Query("env_1", after=page.next), wait=10)
        return [line.text for line in page.lines]

    assert asyncio.run(follow()) == ["later"]


def test_pages_follow_each_other_without_a_gap_or_a_double(logs: Logs) -> None:
    add(logs, "env_1", clock.now(), *(f"{n}" for n in range(250)))
    add(logs, "env_2", clock.now(), "foreign")
    seen: list[str] = []
    after = 0
    while page := read(logs, after=after, limit=100).lines:
        seen += [line.text for line in page]
        after = page[-1].cursor
    assert seen == [f"{n}" for n in range(250)]
    assert texts(logs, limit=2) == ["248", "249"]


def test_pages_go_back_to_the_first_line_without_a_gap_or_a_double(logs: Logs) -> None:
    now = clock.now()
    add(logs, "env_1", now, *(f"{n}" for n in range(250)))
    seen: list[str] = []
    before = None
    while page := read(logs, before=before, limit=100).lines:
        seen = [line.text for line in page] + seen
        before = page[0].cursor
    assert seen == [f"{n}" for n in range(250)]


def test_lines_are_found_by_what_they_are(logs: Logs) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for minute in range(3):
        at = start + timedelta(minutes=minute)
        add(logs, "env_1", at, f"GET /{minute} Done", release=minute)
    logs.say("env_1", "web.1 exited with code 1; starts again in 2 s", process="web")
    assert texts(logs, release=1) == ["GET /1 Done"]
    assert texts(logs, source="router", text="done", limit=1) == ["GET /2 Done"]
    assert texts(logs, since=start + timedelta(minutes=1), source="router", limit=1) == [
        "GET /1 Done"
    ]
    assert texts(logs, until=start, source="router") == ["GET /0 Done"]
    assert texts(logs, process="web") == ["web.1 exited with code 1; starts again in 2 s"]


def test_known_secrets_are_masked(logs: Logs, output: Path) -> None:
    mask = ("hunter22", "first line\nsecond line", "p@ss/word", "abc")
    logs.watch(output, Labels("env_1", "build", job="build-1", mask=mask))
    append(output, b"login hunter22 ok\nsecond line\nhttp://u:p%40ss%2Fword@host\nabc\n")
    until(lambda: len(texts(logs)) == 4)
    assert texts(logs, job="build-1") == ["login •••• ok", "••••", "http://u:••••@host", "abc"]
    data = b"".join(path.read_bytes() for path in output.parent.glob("node/logs.db*"))
    assert b"hunter22" not in data


def test_odd_bytes_and_endless_lines_are_shown_as_far_as_they_can_be(
    logs: Logs, output: Path
) -> None:
    logs.watch(output, APP)
    append(output, b"\xff\xfe ok\r\n\n" + b"x" * 200_000 + b"\nend\n")
    until(lambda: texts(logs)[-1:] == ["end"])
    found = texts(logs)
    assert found[:2] == ["\ufffd\ufffd ok", ""]
    assert [len(each.split(" [cut")[0]) for each in found[2:-1]] == [65536, 65536, 65536, 3392]
    assert "64 KiB" in found[2]


def test_a_file_that_began_anew_is_read_from_its_start(logs: Logs, output: Path) -> None:
    logs.watch(output, APP)
    append(output, b"old line\n")
    until(lambda: texts(logs) == ["old line"])
    os.truncate(output, 0)
    append(output, b"new\n")
    until(lambda: texts(logs) == ["old line", "new"])


def test_what_was_written_while_nobody_looked_is_late(tmp_path: Path, output: Path) -> None:
    first = Logs(Home(tmp_path), Settings())
    first.open()
    first.watch(output, APP)
    append(output, b"in time\n")
    until(lambda: texts(first) == ["in time"])
    first.close()
    append(output, b"meanwhile\n")
    minute_ago = time.time() - 60
    os.utime(tmp_path / "node/logs.alive", (minute_ago, minute_ago))
    second = Logs(Home(tmp_path), Settings())
    second.open()
    second.watch(output, APP)
    until(lambda: len(texts(second)) == 2)
    append(output, b"now\n")
    until(lambda: len(texts(second)) == 3)
    assert [line.late for line in read(second).lines] == [False, True, False]
    second.close()


def test_what_is_too_old_or_too_much_goes_and_an_environment_is_forgotten(logs: Logs) -> None:
    old = clock.now() - timedelta(days=2)
    add(logs, "env_1", old, "old")
    for n in range(5):
        add(logs, "env_1", clock.now(), f"new {n}")
    logs.prune(clock.now() - timedelta(days=1), 1 << 20)
    assert texts(logs) == [f"new {n}" for n in range(5)]
    logs.prune(clock.now() - timedelta(days=1), 300)
    assert texts(logs) == ["new 3", "new 4"]
    logs.forget("env_1")
    assert texts(logs) == []


FLOOD = "import os\nfor i in range(%d): os.write(1, b'line %%09d %%s\\n' %% (i, b'x' * 84))"


def test_a_flood_is_kept_whole_and_its_file_stays_small(logs: Logs, output: Path) -> None:
    if not can_punch(output.parent):
        pytest.skip("this file system cannot empty the head of a file")
    logs.watch(output, APP)
    count = 300_000
    peak = 0
    with output.open("ab") as file:
        writer = subprocess.Popen([sys.executable, "-c", FLOOD % count], stdout=file)
    while writer.poll() is None:
        peak = max(peak, output.stat().st_blocks * 512)
        time.sleep(0.01)
    logs.finish(output)
    numbers: list[int] = []
    after = 0
    while page := read(logs, after=after, limit=20_000).lines:
        numbers += [int(line.text[5:14]) for line in page]
        after = page[-1].cursor
    assert numbers == list(range(count))
    assert output.stat().st_blocks * 512 < 8 << 20
    assert peak < 30 << 20, "the file outgrew its reader"


def test_too_many_lines_are_dropped_and_counted(
    logs: Logs, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perron.agent.logs import model

    monkeypatch.setattr(model, "BURST_LINES", 1000)
    monkeypatch.setattr(model, "LINES_A_SECOND", 0)
    logs._ingest._allowances["env_1"] = model.Allowance(lines=1000)  # type: ignore[union-attr]
    logs.watch(output, APP)
    append(output, b"line\n" * 1500)
    until(lambda: len(texts(logs, limit=5000)) == 1500)
    append(output, b"line\n" * 700)
    until(lambda: len(texts(logs, limit=5000)) == 1501)
    last = read(logs).lines[-1]
    assert "700 lines dropped" in last.text
    assert "700 lines dropped" in last.gap


READER = """
import sys, time
from pathlib import Path
from perron.agent.logs import Batch, Block, Labels, Logs, Store, Told
from perron.kit.settings import Home, Settings
logs = Logs(Home(Path(sys.argv[1])), Settings())
logs.open()
logs.watch(Path(sys.argv[2]), Labels("env_1", "app", "web", "web.1", 3))
print("up", flush=True)
time.sleep(60)
"""


@pytest.mark.fault
def test_no_line_is_lost_or_doubled_when_the_agent_is_killed(tmp_path: Path, output: Path) -> None:
    with output.open("ab") as file:
        writer = subprocess.Popen([sys.executable, "-c", FLOOD % 200_000], stdout=file)
    for _ in range(4):
        argv = [sys.executable, "-c", READER, str(tmp_path), str(output)]
        reader = subprocess.Popen(argv, stdout=subprocess.PIPE)
        assert reader.stdout
        reader.stdout.readline()
        time.sleep(0.15)  # anywhere in the middle of its work
        reader.send_signal(signal.SIGKILL)
        reader.wait()
    writer.wait()
    logs = Logs(Home(tmp_path), Settings())
    logs.open()
    logs.watch(output, APP)
    logs.finish(output)
    numbers: list[int] = []
    after = 0
    while page := read(logs, after=after, limit=20_000).lines:
        numbers += [int(line.text[5:14]) for line in page]
        after = page[-1].cursor
    logs.close()
    assert numbers == list(range(200_000))


def test_a_refusal_is_explained_by_the_platform_once(logs: Logs, output: Path) -> None:
    logs.watch(output, APP)
    refused = b"Error: connect EACCES 127.0.0.1:5433\n"
    append(output, refused)
    until(lambda: len(texts(logs)) == 2)
    append(output, refused)
    logs.finish(output)
    (said,) = texts(logs, source="platform")
    assert said.startswith("web.1: connect to port 5433 is refused by the platform")
    assert len(texts(logs)) == 3


def test_a_refused_write_of_a_release_command_is_explained_where_it_is_read(
    logs: Logs, output: Path
) -> None:
    logs.watch(output, Labels("env_1", "release", "release", "", 3, "release-x"))
    append(output, b"sqlite3.OperationalError: attempt to write a readonly database\n")
    logs.finish(output)
    assert "perron volumes create" in texts(logs, job="release-x")[1]


def told(text: str) -> Told | None:
    number, _, rest = text.partition(" ")
    if not number.isdigit():
        return None
    return Told(NOW, rest, "web", f"web.{number}", int(number))


NOW = datetime(2026, 11, 21, tzinfo=UTC)


def block(body: bytes) -> Block:
    return Block("env_1", "router", "test", body, body.count(b"\n") + 1, NOW, NOW)


@pytest.mark.parametrize("many", [1, 3_000])
def test_blocks_are_read_by_line_before_and_after_they_are_sealed(logs: Logs, many: int) -> None:
    logs.store.decoders["test"] = told
    body = b"\n".join([b"1 one", b"2 two", b"what is this"] * many)
    logs.say("env_1", "before")
    logs.store.keep([block(body)], [], lambda database: None)
    logs.say("env_1", "after")
    for sealed in (False, True):
        assert texts(logs, limit=5)[-4:] == ["one", "two", "what is this", "after"]
        assert texts(logs, instance="web.2", limit=1) == ["two"]
        assert texts(logs, release=1, limit=1) == ["one"]
        assert texts(logs, release=9) == []
        assert texts(logs, source="router", text="THIS", limit=1) == ["what is this"]
        assert len(texts(logs, source="router", limit=1_000_000)) == 3 * many
        cursors = [line.cursor for line in read(logs, after=0, limit=1_000_000).lines]
        assert cursors == list(range(1, 3 * many + 3))
        assert logs.store.seal() is (many > 1 and not sealed)
    assert logs.store.raw_bytes() == 0


def test_a_block_and_what_is_written_along_are_kept_together_or_not_at_all(logs: Logs) -> None:
    def fail(database: sqlite3.Connection) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        logs.store.keep([block(b"1 one")], [], fail)
    assert texts(logs) == []


def test_a_database_of_an_older_version_is_read_and_written_on(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "logs.db")
    old.executescript("""
        CREATE TABLE chunk (
            first INTEGER PRIMARY KEY, last INTEGER NOT NULL, environment TEXT NOT NULL,
            source TEXT NOT NULL, process TEXT NOT NULL, instance TEXT NOT NULL,
            release INTEGER, job TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
            late INTEGER NOT NULL, gap TEXT NOT NULL, size INTEGER NOT NULL, times BLOB,
            body BLOB NOT NULL) STRICT;
        CREATE TABLE counter (next INTEGER NOT NULL) STRICT;
        INSERT INTO counter VALUES (5);
        PRAGMA user_version = 1;
    """)
    old.close()
    store = Store(tmp_path / "logs.db")
    store.keep([block(b"1 one")], [], lambda database: None)
    assert store.ask("select first, form from chunk") == [(5, "test")]
    store.close()
    Store(tmp_path / "logs.db").close()
