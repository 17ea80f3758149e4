"""Limits hold for one sandbox and leave its neighbour alone. Every loop is bounded."""

import asyncio
import os
from glob import glob
from pathlib import Path
from typing import Any

import pytest

from perron.agent.sandbox import MIB, Sandboxes, promises

PYTHON = "/usr/bin/python3"
HOG = """
import time
kept = []
for _ in range(100):
    kept.append(bytearray(5 << 20))
    time.sleep(0.003)
print("took 500 MiB")
"""
WORKER = f"""
import os
pid = os.fork()
if pid == 0:
    exec({HOG!r})
    os._exit(0)
print("worker", "killed" if os.waitpid(pid, 0)[1] else "well", flush=True)
input()
"""
FORKS = """
import os, time
made = 0
try:
    for _ in range(120):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        made += 1
except OSError:
    pass
print(made, flush=True)
time.sleep(20)
"""
BUSY = """
import time
end = time.monotonic() + 2
while time.monotonic() < end:
    pass
print(time.process_time())
"""
ALIVE = "import time; kept = bytearray(20 << 20); print('ready', flush=True); time.sleep(100)"
ENFORCED = {each.name for each in promises() if each.standing == "enforced"}


def test_a_memory_hog_is_killed_and_says_so_while_its_neighbour_lives(
    place: Any, until: Any
) -> None:
    hog = place.spec("hog", memory=64 * MIB)
    neighbour = place.spec("neighbour", number=1, memory=64 * MIB)

    async def story() -> None:
        other = await place.sandboxes.start(neighbour, [PYTHON, "-c", ALIVE], {})
        await until(lambda: place.output(neighbour), "neighbour")
        running = await place.sandboxes.start(hog, [PYTHON, "-c", HOG], {})
        ending = await running.wait()
        assert "took" not in place.output(hog)
        if "memory" in ENFORCED:
            assert ending.out_of_memory
            assert ending.text == "out of memory: used more than 64 MB"
            assert place.sandboxes.find(Path(hog.state)) == ending
        else:
            assert ending.code == 1
            assert "MemoryError" in place.output(hog)
        assert place.living(neighbour)
        await other.kill()

    place.run(story)


@pytest.mark.skipif("memory" not in ENFORCED, reason="no control groups here")
def test_a_worker_over_its_memory_is_noticed_whether_its_parent_lives_or_not(
    place: Any, until: Any
) -> None:
    """Version 1 of control groups ends the fattest process alone, version 2 all of them."""
    spec = place.spec("a", memory=64 * MIB)

    async def story() -> None:
        reading, writing = os.pipe()
        running = await place.sandboxes.start(spec, [PYTHON, "-c", WORKER], {}, stdin=reading)
        os.close(reading)
        ended = asyncio.create_task(running.wait())
        await until(lambda: ended.done() or place.output(spec), "the worker's end")
        if place.status(spec)["groups"]["mode"] == "v1":
            assert place.output(spec) == "worker killed\n"
            assert running.out_of_memory()
            assert not running.out_of_memory()
            os.write(writing, b"\n")
        os.close(writing)
        ending = await ended
        assert (ending.code == 0) != ending.out_of_memory

    place.run(story)


@pytest.mark.skipif("memory" in ENFORCED, reason="the kernel sees to it here")
def test_memory_that_no_kernel_bounds_is_watched(place: Any, until: Any) -> None:
    spec = place.spec("a", memory=64 * MIB)
    code = f"import os; os.fork(); os.fork(); {ALIVE}"

    async def story() -> None:
        sandboxes = Sandboxes(cgroup=place.cgroup, look_every=0.1)
        await sandboxes.open()
        running = await sandboxes.start(spec, [PYTHON, "-c", code], {})
        ending = await running.wait()
        await sandboxes.close()
        assert ending.text == "out of memory: used more than 64 MB"

    place.run(story)


def test_a_fork_bomb_stays_in_its_box(place: Any, until: Any) -> None:
    bomb = place.spec("bomb", processes=30)
    neighbour = place.spec("neighbour", number=1, processes=60)

    async def story() -> None:
        for spec in (bomb, neighbour):
            await place.sandboxes.start(spec, [PYTHON, "-c", FORKS], {})
        await until(lambda: place.output(bomb) and place.output(neighbour), "counts")
        assert int(place.output(bomb)) < 30 < int(place.output(neighbour)) <= 60

    place.run(story)


@pytest.mark.skipif("CPU" not in ENFORCED, reason="no control groups here")
def test_a_fifth_of_a_core_is_a_fifth_of_a_core(place: Any) -> None:
    spec = place.spec("a", cpu=0.2)

    async def story() -> None:
        running = await place.sandboxes.start(spec, [PYTHON, "-c", BUSY], {})
        assert (await running.wait()).code == 0
        assert float(place.output(spec)) < 1.5  # of 2 s; 0.4 s where the clock is not emulated

    place.run(story)


def test_open_files_are_counted(place: Any) -> None:
    spec = place.spec("a", open_files=64)
    code = "import os\nopened = [os.open('/', 0) for _ in range(100)]"

    async def story() -> None:
        running = await place.sandboxes.start(spec, [PYTHON, "-c", code], {})
        assert (await running.wait()).code == 1
        assert "Too many open files" in place.output(spec)

    place.run(story)


def test_a_build_gives_way_to_apps(place: Any) -> None:
    spec = place.spec("a", low_priority=True)
    code = (
        "import os; print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == "
        "os.SCHED_BATCH, int(open('/proc/self/oom_score_adj').read()))"
    )

    async def story() -> None:
        running = await place.sandboxes.start(spec, [PYTHON, "-c", code], {})
        await running.wait()
        assert place.output(spec) == "10 True 600\n"

    place.run(story)


@pytest.mark.skipif(
    os.getuid() != 0, reason="groups of an ordinary user are somebody else's to make"
)
def test_control_groups_go_when_nothing_runs_in_them(place: Any) -> None:
    def folders() -> list[Path]:
        found = glob(f"/sys/fs/cgroup/**/{place.cgroup}", recursive=True)  # others come and go
        return [Path(each) for each in found]

    async def story() -> None:
        spec = place.spec("a")
        running = await place.sandboxes.start(spec, ["sleep", "100"], {})
        assert folders()
        for each in folders():
            (each / "left-over").mkdir()
        await place.sandboxes.tidy([Path(spec.state)])
        assert running.usage().processes
        assert not any((each / "left-over").exists() for each in folders())
        place.sandboxes.dissolve()
        assert folders(), "something runs"
        await running.kill()
        place.sandboxes.dissolve()
        assert not folders()

    place.run(story)
