"""A deploy, step by step: build, release, start, routes, live, drain."""

from datetime import timedelta

from perron import catalog, operations, quotas, runtime
from perron.catalog import Environment
from perron.kit import clock
from perron.kit.db import UnitOfWork
from perron.kit.nodeclient import AgentAway, AgentRefused
from perron.kit.problems import Temporary
from perron.operations import Answer, Operation, Step, Work
from perron.releases import store
from perron.releases.model.editions import SERVING, STARTING
from perron.releases.model.progress import remaining
from perron.releases.model.release import ASKED, LIVE, Release, rollout_lock
from perron.releases.service import rollout, wishes

from .building import build, build_job, cancel_build
from .commanding import cancel_release_command, run_release_command
from .seeing import expect_healthy, expect_reached, look, subject

LONG = timedelta(hours=25)  # a drain may take a day


def start_instances(work: Work) -> None:
    """Have the new instances started beside the old ones, and wait until all are well."""
    with work.reading() as uow:
        environment, release = subject(uow, work)
        edition = rollout.edition_of(uow, environment.id, phase=STARTING)
    if edition is None or edition.release != release.id:
        with work.transaction() as uow:
            notes = rollout.begin(uow, environment, release)
        for note in notes:
            work.say(note)
    wait_healthy(work, environment)


def wait_healthy(work: Work, environment: Environment) -> None:
    """Wait until every instance of what starts is well."""
    with work.reading() as uow:
        edition = rollout.edition_of(uow, environment.id, phase=STARTING)
        sight = look(uow, environment)
    if edition is None:
        raise Temporary("Waiting for the instances to be wished for.")
    sets = wishes.sets_of_edition(sight.wish, edition)
    now = expect_healthy(work, sight, sets)
    work.say(f"{now.text}.", wished=now.wished, healthy=now.well)


def lead_visitors(work: Work) -> None:
    """Have visitors led to the new instances, and wait until all of them are reached."""
    with work.reading() as uow:
        environment, _ = subject(uow, work)
    shift_visitors(work, environment)


def shift_visitors(work: Work, environment: Environment) -> None:
    """Let what starts serve and what served drain; wait until the edge has it so."""
    with work.reading() as uow:
        is_shifted = rollout.edition_of(uow, environment.id, phase=STARTING) is None
    if not is_shifted:
        with work.transaction() as uow:
            rollout.shift(uow, environment)
    with work.reading() as uow:
        edition = rollout.edition_of(uow, environment.id, phase=SERVING)
        sight = look(uow, environment)
    if edition is not None:
        expect_reached(sight, edition)


def note_live(work: Work) -> None:
    """Write down the fact."""
    with work.transaction() as uow:
        rollout.note_live(uow, *subject(uow, work))


def is_live(work: Work) -> Answer:
    """Look whether the fact is written down."""
    with work.reading() as uow:
        _, release = subject(uow, work)
    return Answer.DONE if release.state == LIVE else Answer.NOT_DONE


def drain(work: Work) -> None:
    """Have the old instances end when nothing is in flight on them; count what was lost."""
    with work.reading() as uow:
        environment, release = subject(uow, work)
    wait_drained(work, environment)
    count_requests(work, environment, release)


def wait_drained(work: Work, environment: Environment) -> None:
    """Wait until the old instances are gone, or somebody newer waits."""
    with work.transaction() as uow:
        rollout.finish(uow, environment)
    with work.reading() as uow:
        if len(operations.unfinished(uow, rollout_lock(environment.id))) > 1:
            return
        serving = [edition.mark for edition in store.editions_of(uow, environment.id)]
        sight = look(uow, environment)
    left = {each.revision for each in sight.report.instances} - {*serving}
    if count := remaining(sight.report, sorted(left)):
        raise Temporary(f"{count} old instances finish what is in flight.")


def count_requests(work: Work, environment: Environment, release: Release) -> None:
    """Write down what visitors asked meanwhile; what cannot be measured stays unknown."""
    since = release.rollout_at or release.asked_at
    with work.reading() as uow:
        engine = runtime.engine(uow)
    try:
        now = clock.now()
        count = engine.router_count(environment.id, since=since, until=now, release=release.number)
    except (AgentAway, AgentRefused) as why:
        work.say(f"What visitors asked could not be counted: {why}")
        return
    with work.transaction() as uow:
        rollout.note_counts(uow, environment, release, count)
        if count.first_served:
            rollout.note_first_served(uow, environment, release, count.first_served)
    lost = sum(count.lost.values())
    work.say(f"{lost} of {count.requests} requests lost.", requests=count.requests, lost=count.lost)


def note_ended(uow: UnitOfWork, operation: Operation, why: str, state: str) -> None:
    """Write down that the release will not be live; one that is live stays so."""
    release = store.find(uow, operation.subject)
    if release is None or release.state != ASKED:
        return
    quotas.end_build(uow, build_job(release), clock.now())
    environment = catalog.environment_with(uow, release.environment)
    rollout.note_ended(uow, environment, release, state=state, reason=why)


DEPLOY = operations.Workflow(
    steps=(
        Step("build", build, within=None, cancel=cancel_build),
        Step(
            "release",
            run_release_command,
            within=None,
            cancel=cancel_release_command,
            survives=frozenset({"superseded"}),
        ),
        Step("start", start_instances, within=LONG),
        Step("routes", lead_visitors, within=LONG),
        Step("live", note_live, probe=is_live),
        Step("drain", drain, within=LONG),
    ),
    failed=note_ended,
)
