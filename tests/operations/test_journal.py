"""The journal: one at a time, in doubt after a crash, and never blindly repeated."""

import multiprocessing
import os
import signal
from datetime import timedelta

import pytest

from perron import operations
from perron.kit import clock
from perron.kit.db import open_database, reading, unit_of_work
from perron.kit.problems import Conflict, Permanent, Temporary
from perron.operations import Answer, Ended, Step, Workflow, controller, service


def run(journal, *steps, **more):
    controller.run_once(journal.database, {"bake": Workflow(steps, **more)})


def bake(path, *, then_die):
    def act(_work):
        with open(path, "a") as cakes:
            cakes.write("cake\n")
        if then_die:
            os.kill(os.getpid(), signal.SIGKILL)

    return act


def cold(_work):
    raise Temporary("The oven is cold.")


@pytest.mark.fault
@pytest.mark.parametrize(
    ("answer", "cakes", "state"),
    [(Answer.DONE, 1, "done"), (Answer.NOT_DONE, 2, "done"), (Answer.CANNOT_TELL, 1, "parked")],
)
def test_a_step_that_died_after_doing_is_probed(journal, tmp_path, answer, cakes, state):
    operation, path = journal.start(), tmp_path / "cakes"

    def die():
        own = open_database(str(journal.database.url))
        workflow = Workflow((Step("bake", bake(path, then_die=True)),))
        controller.run_once(own, {"bake": workflow})

    process = multiprocessing.get_context("fork").Process(target=die)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert (path.read_text(), journal.state(operation)) == ("cake\n", "running")

    run(journal, Step("bake", bake(path, then_die=False), probe=lambda _work: answer))

    assert len(path.read_text().splitlines()) == cakes
    assert journal.state(operation) == state


def test_one_lock_has_one_running_operation(journal):
    first, second, other = journal.start(), journal.start(), journal.start(lock="pan")
    run(journal, Step("wait", cold))
    states = [journal.state(operation) for operation in (first, second, other)]
    assert states == ["running", "waiting", "running"]
    assert journal.mark(first, "wait").message == "The oven is cold."
    with reading(journal.database) as uow:
        assert operations.running(uow, "oven").id == first.id

    run(journal, Step("wait", lambda _work: None))
    run(journal, Step("wait", lambda _work: None))
    assert journal.state(second) == "done"


def test_steps_that_are_done_are_not_done_again(journal):
    baked, oven = [], ["cold"]

    def serve(_work):
        if oven:
            raise Temporary("Too hot.")

    operation = journal.start()
    steps = (Step("bake", lambda _work: baked.append(1)), Step("serve", serve))
    run(journal, *steps)
    oven.clear()
    run(journal, *steps)
    assert (baked, journal.state(operation)) == ([1], "done")
    assert journal.steps(operation) == {"bake": "done", "serve": "done"}


def test_a_step_that_waits_was_not_in_the_middle_of_anything_and_is_not_probed(journal):
    asked = []
    step = Step("wait", cold, probe=asked.append)
    operation = journal.start()
    run(journal, step)
    run(journal, step)
    assert (asked, journal.steps(operation)) == ([], {"wait": "waiting"})


def test_a_step_that_takes_too_long_fails_with_its_reason(journal, monkeypatch):
    failed = []
    operation = journal.start()
    step = Step("wait", cold, within=timedelta(minutes=1))
    run(journal, step)
    later = clock.now() + timedelta(minutes=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    run(journal, step, failed=lambda _uow, _op, why, state: failed.append((state, why)))
    assert journal.state(operation) == "failed"
    assert failed == [("failed", "The oven is cold. It did not change within 0:01:00.")]
    assert journal.steps(operation) == {"wait": "failed"}


def test_a_step_without_a_bound_waits_on(journal, monkeypatch):
    operation = journal.start()
    step = Step("wait", cold, within=None)
    run(journal, step)
    later = clock.now() + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    run(journal, step)
    assert journal.state(operation) == "running"


@pytest.mark.parametrize("why", [Permanent("There is no flour."), Conflict("There is no flour.")])
def test_a_step_that_can_never_be_done_fails_at_once(journal, why):
    def refuse(_work):
        raise why

    operation = journal.start()
    baked = []
    run(journal, Step("knead", refuse), Step("bake", baked.append))
    assert baked == []
    found = journal.get(operation)
    assert (found.state, found.reason) == ("failed", "There is no flour.")
    assert found.finished_at is not None
    assert journal.steps(operation) == {"knead": "failed", "bake": "skipped"}


def test_a_step_may_end_its_operation_in_another_way(journal):
    def give_way(_work):
        raise Ended("superseded", "A newer cake is on its way.")

    ends = []
    operation = journal.start()
    step = Step("wait", give_way)
    run(journal, step, failed=lambda _uow, _op, why, state: ends.append((state, why)))
    assert journal.state(operation) == "superseded"
    assert ends == [("superseded", "A newer cake is on its way.")]


def test_what_fails_to_be_written_down_is_not_failed_by_half(journal):
    def refuse(_work):
        raise Permanent("There is no flour.")

    def failed(_uow, _operation, _why, _state):
        raise KeyError("pen")

    operation = journal.start()
    run(journal, Step("knead", refuse), failed=failed)
    found = journal.get(operation)
    assert found.state == "parked"
    assert "KeyError" in found.reason


def test_a_fault_in_one_operation_stops_no_other(journal):
    def break_down(_work):
        raise KeyError("spoon")

    broken = journal.start()
    unknown = journal.start("fly", lock="sky")
    good = journal.start("rest", lock="bed")
    workflows = {
        "bake": Workflow((Step("bake", break_down),)),
        "rest": Workflow((Step("rest", lambda _work: None),)),
    }
    controller.run_once(journal.database, workflows)
    states = [journal.state(operation) for operation in (broken, unknown, good)]
    assert states == ["failed", "parked", "done"]
    assert "fault of the platform" in journal.get(broken).reason


def test_what_is_started_inside_an_operation_joins_its_family(journal):
    def start_another(work):
        with work.transaction() as uow:
            operations.start(
                uow, "wash", subject="pan", lock="sink", team="t", correlation=uow.correlation
            )

    first = journal.start()
    run(journal, Step("bake", start_another))
    with reading(journal.database) as uow:
        family = service.family_of(uow, first)
    assert [(each.work, each.actor, each.actor_kind) for each in family] == [
        ("bake", "per_ada", "person"),
        ("wash", "per_ada", "person"),
    ]


def test_progress_is_told_in_order_with_its_step_and_facts(journal):
    def talk(work):
        work.say("Mixing.")
        work.say("Baking.", degrees=180)

    operation = journal.start()
    run(journal, Step("talk", talk))
    said = [(line.step, line.text, line.facts) for line in journal.said(operation)]
    assert said == [("talk", "Mixing.", {}), ("talk", "Baking.", {"degrees": 180})]


def test_cancelling_what_waits_ends_it_at_once_and_its_room_hears_of_it(journal):
    first, second = journal.start(), journal.start()
    ends = []
    run(journal, Step("wait", cold))
    assert journal.cancel(second).state == "cancelled"
    assert journal.state(second) == "cancelled"

    def failed(_uow, operation, why, state):
        ends.append((operation.id, state, why))

    run(journal, Step("wait", cold), failed=failed)
    run(journal, Step("wait", cold), failed=failed)
    assert ends == [(second.id, "cancelled", "Ada changed her mind.")]
    assert journal.state(first) == "running"


def test_what_is_over_cannot_be_cancelled(journal):
    operation = journal.start()
    run(journal, Step("bake", lambda _work: None))
    with pytest.raises(operations.OperationOver, match="done already"):
        journal.cancel(operation)


def test_a_parked_operation_is_let_go_by_cancelling_it(journal):
    operation = journal.start("fly")
    run(journal)
    assert journal.state(operation) == "parked"
    journal.cancel(operation)
    ends = []

    def failed(_uow, _op, _why, state):
        ends.append(state)

    controller.run_once(journal.database, {"fly": Workflow((), failed)})
    assert (journal.state(operation), ends) == ("cancelled", ["cancelled"])


def test_a_persons_cancel_outweighs_a_superseding_and_never_the_other_way(journal):
    operation = journal.start()
    run(journal, Step("wait", cold))
    journal.cancel(operation, "superseded", "Newer.")
    journal.cancel(operation, "cancelled", "Ada said so.")
    assert journal.cancel(operation, "superseded", "Newer still.").cancel == "cancelled"


def test_a_server_that_was_overtaken_writes_nothing_more(journal):
    def overtake_then_write(work):
        with unit_of_work(journal.database) as uow:
            known = service.get_operation(uow, operation.id)
            assert controller.store.update(uow, known, fence=known.fence + 1, owner="other 1 2 3")
        work.say("I am the one.")

    operation = journal.start()
    run(journal, Step("bake", overtake_then_write))
    assert (journal.said(operation), journal.state(operation)) == ([], "running")
