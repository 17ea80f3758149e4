"""Runs of schedules: asked for once, done as jobs of the engine, and written down."""

import logging
from datetime import datetime
from functools import partial

from perron import catalog, releases, runtime
from perron.catalog import Environment
from perron.contract.node import JobReport, JobSpec, JobState
from perron.kit import clock, ids
from perron.kit.db import Database, UnitOfWork, reading, unit_of_work
from perron.kit.nodeclient import AgentAway, AgentRefused
from perron.kit.problems import NotFound, Permanent, Problem, Temporary
from perron.kit.settings import Home
from perron.kit.spine import Happening, Place
from perron.schedules import store
from perron.schedules.model import (
    CANCELLED,
    DONE,
    FAILED,
    MISSED,
    PLATFORM,
    QUEUED,
    RUNNING,
    SKIPPED,
    STILL_RUNS,
    UNFINISHED,
    Arrival,
    Run,
    Schedule,
    ScheduleAsked,
    ScheduleFailed,
    ScheduleMissed,
    ScheduleRan,
    ScheduleSkipped,
    StillRunning,
    arrival,
    arrivals,
    is_too_late,
    next_of,
)

from .chores import Chores
from .keeping import record


class NotNow(Exception):
    """A run cannot begin, and will not: ``state`` says what becomes of it."""

    def __init__(self, state: str, why: str) -> None:
        super().__init__(why)
        self.state = state


CHORE = "cron_platform_"
REPLACED = "A newer one took its place."
log = logging.getLogger(__name__)

STATES = {JobState.SUCCEEDED: DONE, JobState.CANCELLED: CANCELLED}


def ask(uow: UnitOfWork, environment: Environment | None, schedule: Schedule) -> Run:
    """Have a schedule run now, whether it is on or off; None is the platform's own."""
    now = clock.now()
    came = arrival(schedule, store.unfinished(uow, schedule.id), now)
    if came.state == SKIPPED:
        raise StillRunning(f"{came.text} Wait for its end: perron cron history {schedule.name}")
    if environment is not None:
        releases.runnable(uow, environment)
    run = _write(uow, schedule, came, by_hand=True)
    place = environment.place if environment else Place()
    record(uow, schedule, ScheduleAsked(schedule.name, run.id), place)
    return run


def history(
    uow: UnitOfWork, schedule: Schedule, *, before: datetime | None = None, limit: int = 50
) -> list[Run]:
    """Return what became of a schedule's times, newest first."""
    return store.page(uow, schedule.id, before, limit)


def last_runs(uow: UnitOfWork, schedules: list[Schedule]) -> dict[str, Run]:
    """Return the newest run of each schedule, by its id."""
    return store.last_runs(uow, [each.id for each in schedules])


def note_due(database: Database, chores: Chores) -> None:
    """Write down every time that has come: what runs, what is skipped, what was missed."""
    with reading(database) as uow:
        due = store.due(uow, clock.now())
    for each in due:
        if each.environment == PLATFORM and chores.is_quiet:
            continue
        with unit_of_work(database) as uow:
            _note_one(uow, each.id)


def go_on(database: Database, home: Home, chores: Chores) -> None:
    """Begin the runs that may, and write down how those ended that have."""
    with reading(database) as uow:
        unfinished = store.unfinished(uow)
    busy = {each.schedule for each in unfinished if each.state == RUNNING}
    for run in unfinished:
        is_first = run.schedule not in busy
        busy.add(run.schedule)
        try:
            if run.schedule.startswith(CHORE):
                _do_chore(database, run, chores, is_first=is_first)
            else:
                _go_on(database, home, run, is_first=is_first)
        except Exception:  # one that cannot be gone on with keeps no other from it
            log.exception("The run %s cannot be gone on with; that is tried again.", run.id)


def _do_chore(database: Database, run: Run, chores: Chores, *, is_first: bool) -> None:
    if run.state == RUNNING and not chores.is_doing(run.id):
        _close(database, run, FAILED, "The server ended meanwhile.")
    elif run.state == QUEUED and is_first:
        ended = partial(_chore_ended, database, run)
        chores.begin(database, run.id, run.schedule.removeprefix(CHORE), ended)


def _chore_ended(database: Database, run: Run, fault: str) -> None:
    _close(database, run, FAILED if fault else DONE, fault)


def _go_on(database: Database, home: Home, run: Run, *, is_first: bool) -> None:
    if run.state == RUNNING:
        _look(database, home, run)
    elif run.is_ending:
        _close(database, run, CANCELLED, REPLACED)
    elif is_first:
        _begin(database, home, run)


def _begin(database: Database, home: Home, run: Run) -> None:
    """Write down with which release it runs, then have it done: asking twice is asking once."""
    try:
        with unit_of_work(database) as uow:
            spec = _prepared(uow, run)
        report = runtime.ask_job(home, run.job, spec)
    except Temporary as away:
        _give_up_late(database, run, str(away))
    except NotNow as why:
        _close(database, run, why.state, str(why))
    except (Permanent, Problem) as why:
        _close(database, run, FAILED, str(why))
    else:
        with unit_of_work(database) as uow:
            store.set_run(uow, run.id, state=RUNNING, started=report.started or clock.now())


def _prepared(uow: UnitOfWork, run: Run) -> JobSpec:
    schedule = store.find(uow, run.schedule)
    place = _environment_of(uow, schedule) if schedule else None
    if schedule is None or place is None:
        raise NotNow(CANCELLED, "The schedule was removed.")
    if run.release is None:
        try:
            number = releases.runnable(uow, place).number
        except releases.DeployRefused as no:
            raise NotNow(SKIPPED, no.detail) from no
        store.set_run(uow, run.id, release=number)
    else:
        number = run.release
    return releases.scheduled_job(
        uow, place, number, command=schedule.command, timeout=schedule.timeout
    )


def _give_up_late(database: Database, run: Run, why: str) -> None:
    """Wait for the machine, but not beyond the next time."""
    with reading(database) as uow:
        schedule = store.find(uow, run.schedule)
    if schedule is None or is_too_late(schedule, run, clock.now()):
        _close(database, run, MISSED, why)


def _look(database: Database, home: Home, run: Run) -> None:
    if run.is_ending:
        runtime.cancel_job(home, run.job)
    try:
        report = runtime.engine_of(home).job(run.job)
    except AgentAway:
        return
    except AgentRefused as no:
        if no.status == 404:
            _close(database, run, FAILED, "The machine knows nothing of it any more.")
        return
    if report.state in runtime.FINISHED:
        _close(database, run, STATES.get(report.state, FAILED), _text(run, report), report)


def _text(run: Run, report: JobReport) -> str:
    if run.is_ending:
        return run.text
    return report.exit.text if report.exit else ""


def _close(
    database: Database, run: Run, state: str, text: str, report: JobReport | None = None
) -> None:
    """Write down how a run ended, once, and tell of it."""
    code = report.exit.code if report and report.exit else None
    finished = (report.finished if report else None) or clock.now()
    started = report.started if report else None
    with unit_of_work(database) as uow:
        known = store.find_run(uow, run.id)
        if known is None or known.state not in UNFINISHED:
            return
        ended = {"state": state, "text": text, "exit_code": code, "finished": finished}
        store.set_run(uow, run.id, **ended, **({"started": started} if started else {}))
        _tell(uow, run, state, text, report)


def _tell(uow: UnitOfWork, run: Run, state: str, text: str, report: JobReport | None) -> None:
    schedule = store.find(uow, run.schedule)
    place = _place_of(uow, schedule) if schedule else None
    if schedule is None or place is None:
        return
    code = report.exit.code if report and report.exit else None
    at = run.fire_at.isoformat()
    told: Happening
    if state == DONE:
        told = ScheduleRan(schedule.name, run.id, _seconds(report))
    elif state == SKIPPED:
        told = ScheduleSkipped(schedule.name, at, text)
    elif state == MISSED:
        told = ScheduleMissed(schedule.name, at, at, 1, and_more=False)
    else:
        told = ScheduleFailed(schedule.name, run.id, code, text)
    record(uow, schedule, told, place)


def _seconds(report: JobReport | None) -> float | None:
    if report is None or report.started is None or report.finished is None:
        return None
    return round((report.finished - report.started).total_seconds(), 3)


def _place_of(uow: UnitOfWork, schedule: Schedule) -> Place | None:
    """Return whose events happen there; None when its environment is gone."""
    if schedule.environment == PLATFORM:
        return Place()
    found = _environment_of(uow, schedule)
    return found.place if found else None


def _environment_of(uow: UnitOfWork, schedule: Schedule) -> Environment | None:
    try:
        return catalog.environment_with(uow, schedule.environment)
    except NotFound:
        return None


def _note_one(uow: UnitOfWork, id: str) -> None:
    schedule, now = store.find(uow, id), clock.now()
    if schedule is None:
        return
    came = arrivals(schedule, store.unfinished(uow, id), now)
    came = [each for each in came if not store.has_run(uow, id, each.fire_at)]
    place = _place_of(uow, schedule)
    if place is None or not came:
        _move_on(uow, schedule)
        return
    for each in came:
        _write(uow, schedule, each)
    _tell_missed(uow, schedule, place, [each for each in came if each.state == MISSED])
    if came[-1].state == SKIPPED:
        _tell_skipped(uow, schedule, place, came[-1])
    _move_on(uow, schedule)


def _move_on(uow: UnitOfWork, schedule: Schedule) -> None:
    after = max(clock.now(), schedule.next_at or clock.now())
    store.set_next(uow, schedule.id, next_of(schedule, after))


def _write(uow: UnitOfWork, schedule: Schedule, came: Arrival, *, by_hand: bool = False) -> Run:
    by = (uow.actor or "perron") if by_hand else "perron"
    over = None if came.state == QUEUED else clock.now()
    run = Run(
        ids.new("fire"), schedule.id, came.fire_at, came.state, by_hand, by,
        finished=over, text=came.text,
    )  # fmt: skip
    store.add_run(uow, run)
    for each in came.ends:
        store.set_run(uow, each, is_ending=True, text=REPLACED)
    return run


def _tell_missed(uow: UnitOfWork, schedule: Schedule, place: Place, missed: list[Arrival]) -> None:
    if missed:
        first, last = missed[0].fire_at.isoformat(), missed[-1].fire_at.isoformat()
        more = missed[0].more_missed
        told = ScheduleMissed(schedule.name, first, last, len(missed), more)
        record(uow, schedule, told, place)


def _tell_skipped(uow: UnitOfWork, schedule: Schedule, place: Place, came: Arrival) -> None:
    told = ScheduleSkipped(schedule.name, came.fire_at.isoformat(), came.text or STILL_RUNS)
    record(uow, schedule, told, place)
