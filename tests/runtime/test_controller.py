"""What is seen of instances is told once, whatever happens in between."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.exc import OperationalError

from perron import runtime
from perron.contract.node import EnvironmentReport, Exit, InstanceReport, InstanceState, Report
from perron.kit import clock
from perron.kit.db import reading
from perron.runtime.controller import Controller
from perron.runtime.engines.memory import MemoryEngine


class Told(MemoryEngine):
    """An engine whose next report is handed to it, as an agent's would come."""

    said: Report

    def report(self, *, after=None, wait=0.0):
        return self.said


def place(name, *ids, crashed=()):
    return EnvironmentReport(
        environment=name, generation=1, routed=True,
        instances=[
            InstanceReport(
                id=id, name="worker.1", environment=name, process="worker", release=1,
                revision="1.1", state=InstanceState.HEALTHY, since=clock.now(),
                last_exit=Exit(at=clock.now(), code=3, text="exited") if id in crashed else None,
            )
            for id in ids
        ],
    )  # fmt: skip


@pytest.fixture
def engine(ground):
    engine = Told()
    runtime.use(ground.home, engine)
    return engine


def hear(controller, engine, sequence, *places):
    engine.said = Report(node="n", generation=1, sequence=sequence, environments=list(places))
    controller.listen_once()


def crashes(database):
    query = "SELECT subject FROM event WHERE type = 'perron.instance.crashed.v1'"
    with reading(database) as uow:
        return list(uow.connection.exec_driver_sql(query).scalars())


def test_a_crash_is_told_once_by_every_report_that_repeats_it(ground, engine):
    controller = Controller(ground.database, ground.home)
    crashed = place("env_a", "ins_1", crashed=["ins_1"])
    hear(controller, engine, 1, place("env_a", "ins_1"))
    hear(controller, engine, 2, crashed)
    hear(controller, engine, 3, crashed, place("env_b", "ins_2"))
    assert crashes(ground.database) == ["ins_1"]


def test_what_could_not_be_written_down_is_told_with_the_next_change(ground, engine):
    controller = Controller(ground.database, ground.home)
    hear(controller, engine, 1, place("env_a", "ins_1"))
    crashed = place("env_a", "ins_1", crashed=["ins_1"])
    with closing(sqlite3.connect(ground.home.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OperationalError):
            hear(controller, engine, 2, crashed)
    hear(controller, engine, 3, crashed, place("env_b", "ins_2"))
    assert crashes(ground.database) == ["ins_1"]


def test_another_controller_goes_on_where_the_last_one_ended(ground, engine):
    crashed = place("env_a", "ins_1", crashed=["ins_1"])
    hear(Controller(ground.database, ground.home), engine, 1, crashed)
    hear(Controller(ground.database, ground.home), engine, 2, crashed)
    assert crashes(ground.database) == ["ins_1"]
