"""The controller: threads, waking up, cancelling, and taking over from the dead."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from threading import Event, current_thread

import pytest

from perron.kit import bell, clock
from perron.kit.db import unit_of_work
from perron.kit.problems import Permanent, Temporary
from perron.operations import Answer, Step, Workflow, store
from perron.operations.controller import owner

DEADLINE = 20.0


class Oven:
    """A world outside that a step waits for."""

    def __init__(self):
        self.is_hot = False
        self.looks = 0
        self.began = Event()

    def wait(self, _work):
        self.looks += 1
        self.began.set()
        if not self.is_hot:
            raise Temporary("The oven is cold.")


def waiting(oven, **more):
    return {"bake": Workflow((Step("wait", oven.wait, **more),))}


def is_cold(journal, operation):
    step = journal.steps(operation) and journal.mark(operation, "wait")
    return bool(step) and step.message == "The oven is cold."


def test_an_operation_runs_as_soon_as_it_is_asked_for(journal):
    threads = []
    with journal.controlled(
        {"bake": Workflow((Step("bake", lambda _work: threads.append(current_thread().name)),))}
    ):
        operations = [journal.start(lock=str(number)) for number in range(20)]
        for operation in operations:
            journal.wait(operation)
    assert len(threads) == 20
    assert all(name.startswith("operation") for name in threads)


def test_a_step_that_waits_looks_again_when_the_bell_rings(journal):
    oven = Oven()
    with journal.controlled(waiting(oven)):
        operation = journal.start()
        journal.wait_until(lambda: is_cold(journal, operation))
        oven.is_hot = True
        began = time.monotonic()
        bell.ring()
        journal.wait(operation)
    assert time.monotonic() - began < DEADLINE


def test_what_waits_holds_no_thread(journal):
    oven = Oven()
    with journal.controlled(waiting(oven), workers=2):
        many = [journal.start(lock=str(number)) for number in range(10)]
        journal.wait_until(lambda: all(is_cold(journal, each) for each in many))
        oven.is_hot = True
        bell.ring()
        for operation in many:
            journal.wait(operation)


def test_waiting_alone_neither_writes_nor_looks_without_end(journal):
    oven = Oven()
    with journal.controlled(waiting(oven)):
        operation = journal.start()
        journal.wait_until(lambda: is_cold(journal, operation))
        Event().wait(0.3)  # the wake-up by its own last word
        looks, rings = oven.looks, bell.heard()
        Event().wait(1.5)  # the one thing to observe here is that nothing happens
        assert oven.looks - looks <= 5
        assert bell.heard() == rings


def test_cancelling_stops_the_child_of_the_step_that_runs(journal):
    began, ends = Event(), []
    children = []

    def bake(_work):
        children.append(subprocess.Popen(["sleep", "1000"]))
        began.set()
        code = children[0].wait()
        raise Permanent(f"sleep ended with {code}")

    def stop(_work):
        children[0].terminate()

    workflow = Workflow(
        (Step("bake", bake, cancel=stop), Step("serve", lambda _work: None)),
        failed=lambda _uow, _op, why, state: ends.append((state, why)),
    )
    with journal.controlled({"bake": workflow}):
        operation = journal.start()
        assert began.wait(DEADLINE)
        journal.cancel(operation)
        journal.wait(operation, "cancelled")
    assert children[0].returncode == -signal.SIGTERM
    assert ends == [("cancelled", "Ada changed her mind.")]
    assert journal.steps(operation) == {"bake": "failed", "serve": "skipped"}


def test_cancelling_ends_what_waits_for_the_world(journal):
    oven, stopped = Oven(), []
    with journal.controlled(waiting(oven, cancel=stopped.append)):
        operation = journal.start()
        assert oven.began.wait(DEADLINE)
        journal.cancel(operation, "superseded", "Newer.")
        journal.wait(operation, "superseded")
    assert len(stopped) >= 1
    assert journal.get(operation).reason == "Newer."


def test_a_step_survives_a_superseding_and_the_operation_ends_after_it(journal):
    oven, stopped, served = Oven(), [], []
    step = Step("wait", oven.wait, cancel=stopped.append, survives=frozenset({"superseded"}))
    workflow = Workflow((step, Step("serve", served.append)))
    with journal.controlled({"bake": workflow}):
        operation = journal.start()
        assert oven.began.wait(DEADLINE)
        journal.cancel(operation, "superseded", "Newer.")
        looks = oven.looks
        bell.ring()
        journal.wait_until(lambda: oven.looks > looks)
        assert journal.state(operation) == "running"
        oven.is_hot = True
        bell.ring()
        journal.wait(operation, "superseded")
    assert (stopped, served) == ([], [])
    assert journal.steps(operation) == {"wait": "done", "serve": "skipped"}


def test_a_person_may_cancel_even_the_step_that_survives_a_superseding(journal):
    oven, stopped = Oven(), []
    workflows = waiting(oven, cancel=stopped.append, survives=frozenset({"superseded"}))
    with journal.controlled(workflows):
        operation = journal.start()
        assert oven.began.wait(DEADLINE)
        journal.cancel(operation, "superseded", "Newer.")
        journal.cancel(operation)
        journal.wait(operation, "cancelled")
    assert len(stopped) >= 1


def test_the_next_of_a_lock_begins_when_the_one_before_ends(journal):
    oven, order = Oven(), []

    def bake(work):
        oven.wait(work)
        order.append(work.operation.id)

    with journal.controlled({"bake": Workflow((Step("bake", bake),))}):
        queue = [journal.start() for _ in range(4)]
        assert oven.began.wait(DEADLINE)
        oven.is_hot = True
        bell.ring()
        for operation in queue:
            journal.wait(operation)
    assert order == [operation.id for operation in queue]


def test_what_a_dead_server_left_running_is_taken_over(journal):
    oven = Oven()
    oven.is_hot = True
    operation = journal.start()
    with unit_of_work(journal.database) as uow:
        dead = owner.me().rpartition(" ")[0] + " 1"  # our pid, in an earlier life
        held = {"state": "running", "owner": dead, "fence": 7}
        store.update(uow, operation, **held, lease_until=clock.now() + timedelta(hours=1))
    with journal.controlled(waiting(oven)):
        journal.wait(operation)
    assert journal.get(operation).fence == 8


def test_what_a_living_server_runs_is_left_alone_until_its_lease_ends(journal):
    oven = Oven()
    oven.is_hot = True
    operation = journal.start()
    with unit_of_work(journal.database) as uow:
        held = {"state": "running", "owner": "elsewhere - 1 1", "fence": 1}
        store.update(uow, operation, **held, lease_until=clock.now() + timedelta(hours=1))
    other = journal.start(lock="pan")
    with journal.controlled(waiting(oven)):
        journal.wait(other)
        assert journal.state(operation) == "running"
        with unit_of_work(journal.database) as uow:
            known = store.find(uow, operation.id)
            store.update(uow, known, lease_until=clock.now() - timedelta(seconds=1))
        journal.wait(operation)


SERVER = """
import sys
from threading import Event
from perron.kit.db import open_database
from perron.operations import Answer, Step, Workflow
from perron.operations.controller import Controller

database, cakes = open_database(sys.argv[1]), sys.argv[2]

def bake(number):
    def act(work):
        with open(f"{cakes}/{work.operation.id}-{number}", "x") as cake:
            cake.write("cake")
    def probe(work):
        import os
        done = os.path.exists(f"{cakes}/{work.operation.id}-{number}")
        return Answer.DONE if done else Answer.NOT_DONE
    return Step(f"bake-{number}", act, probe=probe)

workflows = {"bake": Workflow(tuple(bake(number) for number in range(5)))}
print("ready", flush=True)
Controller(database, workflows).run(Event())
"""


@pytest.mark.fault
def test_killing_the_server_again_and_again_doubles_and_loses_nothing(journal, tmp_path):
    cakes = tmp_path / "cakes"
    cakes.mkdir()
    operations = [journal.start(lock=str(number)) for number in range(60)]
    command = [sys.executable, "-c", textwrap.dedent(SERVER), str(journal.database.url), str(cakes)]
    for kill_after in (5, 40, 90, 150, 220, None):
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert server.stdout.readline() == b"ready\n"
            if kill_after is None:
                for operation in operations:
                    journal.wait(operation)
            else:
                journal.wait_until(lambda n=kill_after: len(os.listdir(cakes)) >= n)
        finally:
            server.kill()
            server.wait()
            server.stdout.close()
    assert len(os.listdir(cakes)) == 60 * 5


def test_an_owner_is_gone_when_its_process_is_another_one():
    host, boot, pid, began = owner.me().split(" ")
    assert not owner.is_gone(owner.me())
    assert owner.is_gone(f"{host} {boot} {pid} {int(began) - 1}")
    assert owner.is_gone(f"{host} another-boot {pid} {began}")
    assert not owner.is_gone(f"another-host {boot} {pid} {began}")


def test_a_probe_that_cannot_tell_parks_and_frees_the_lock(journal):
    first = journal.start()
    with unit_of_work(journal.database) as uow:
        store.lay_out(uow, first.id, ["bake"])
        store.mark_step(uow, first.id, "bake", "started", started_at=clock.now())
    step = Step("bake", lambda _work: None, probe=lambda _work: Answer.CANNOT_TELL)
    with journal.controlled({"bake": Workflow((step,))}):
        journal.wait(first, "parked")
        journal.wait(journal.start(), "done")
