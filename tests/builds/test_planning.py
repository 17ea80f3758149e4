"""Plans and builds in the server's database: identities, reuse, and whose they are."""

import gzip
import io
import tarfile
from dataclasses import replace

import pytest

from perron import access, builds, catalog
from perron.contract.node import Fetch, JobReport, JobState
from perron.kit import spine
from perron.kit.db import open_database, unit_of_work
from perron.kit.settings import Home, Settings
from perron.kit.tables import metadata

FILES = {"app.py": "from flask import Flask\napp = Flask('x')\n", "requirements.txt": "flask\n"}
DONE = JobReport(job="build-x", state=JobState.SUCCEEDED, size=7)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.fixture
def uow(home):
    database = open_database(f"sqlite:///{home.database}")
    metadata.create_all(database)
    with unit_of_work(database) as uow:
        yield uow
    database.dispose()


@pytest.fixture
def team(uow):
    return access.add_team(uow, "blue")


@pytest.fixture
def place(uow, team):
    app = catalog.add_app(uow, "shop", team=team)
    return catalog.environments_of(uow, app)[0]


def send(uow, home, app, files=FILES):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    content = gzip.compress(plain.getvalue(), mtime=0)
    source = builds.keep_source(home, Settings(disk_reserve=0), [content])
    builds.note_source(uow, catalog.get_app(uow, app), source)
    return source.digest


@pytest.fixture
def plan(uow, home, place, offers):
    def plan(environment=place, files=FILES, config=None, digest="none", fetch=None, here=()):
        source = send(uow, home, environment.app, files)
        return builds.plan_build(
            uow,
            environment,
            source,
            build_config=config or {},
            build_config_digest=digest,
            detected=builds.detect_source(home, Settings(), source, ".", offers(*here)),
            fetch=Fetch(environment=fetch or {}),
        )

    return plan


def test_a_plan_names_a_job_that_makes_the_build(plan, place):
    planned = plan(config={"TOKEN": "s3cret", "A": "1"}, digest="d")
    job = planned.job
    assert (job.output, job.app_name, job.environment) == (planned.identity, "shop", place.id)
    assert job.env == {"TOKEN": "s3cret", "A": "1"}
    assert job.mask == ["s3cret"]
    assert job.source == planned.source


def test_the_same_again_is_the_same_build(plan):
    assert plan().identity == plan().identity


def test_whatever_goes_into_a_build_is_part_of_its_name(plan):
    changed = FILES | {"app.py": FILES["app.py"] + "#\n"}
    names = {
        plan().identity,
        plan(files=changed).identity,
        plan(digest="other").identity,
        plan(here=("3.11.2",)).identity,
        plan(fetch={"UV_DEFAULT_INDEX": "https://example.org"}).identity,
    }
    assert len(names) == 5


def test_another_team_shares_neither_build_nor_layer(uow, plan):
    other = catalog.add_app(uow, "else", team=access.add_team(uow, "red"))
    theirs = plan(environment=catalog.environments_of(uow, other)[0])
    ours = plan()
    assert theirs.identity != ours.identity
    assert theirs.job.plan.layer.key != ours.job.plan.layer.key


def test_an_app_that_moved_is_built_with_nothing_of_its_old_team(uow, plan, place):
    before = plan()
    moved = plan(environment=replace(place, team=access.add_team(uow, "red")))
    assert moved.job.team != before.job.team
    assert moved.job.plan.layer.key != before.job.plan.layer.key
    assert moved.identity != before.identity


def test_a_build_that_exists_needs_no_job_in_any_environment(uow, plan, place):
    planned = plan()
    built = builds.note_built(uow, planned, DONE)
    assert plan().identity == planned.identity
    app = catalog.get_app(uow, place.app)
    staging = catalog.add_environment(uow, app, "staging")
    assert plan(environment=staging).identity == planned.identity
    assert builds.get_build(uow, place.app, planned.identity) == built
    assert built.manifest.processes["web"].command.startswith("gunicorn")


def test_noting_a_build_twice_is_noting_it_once(uow, plan):
    planned = plan()
    first = builds.note_built(uow, planned, DONE)
    assert builds.note_built(uow, planned, DONE) == first


def test_a_source_of_another_app_is_not_known_here(uow, home, plan, place, team):
    other = catalog.add_app(uow, "else", team=team)
    digest = send(uow, home, other.id, {"index.html": "theirs"})
    with pytest.raises(builds.SourceNotFound, match="upload it again"):
        builds.get_source(uow, place.app, digest)


def test_an_unknown_build_is_not_found(uow, place):
    with pytest.raises(builds.BuildNotFound):
        builds.get_build(uow, place.app, "0" * 64)


def test_forgetting_an_app_leaves_what_others_still_need(uow, home, place, team):
    other = catalog.add_app(uow, "else", team=team)
    shared = send(uow, home, place.app)
    assert send(uow, home, other.id) == shared
    builds.forget_app(uow, place.app)
    assert builds.source_path(home, shared).exists()
    builds.forget_app(uow, other.id)
    assert not builds.source_path(home, shared).exists()
    assert list(home.sources.iterdir()) == []


def test_pruning_keeps_what_is_named(uow, home, place):
    old = send(uow, home, place.app)
    kept = send(uow, home, place.app, {"index.html": ""})
    assert builds.prune_sources(uow, place.app, keep=[kept]) == [old]
    assert builds.get_source(uow, place.app, kept).digest == kept


def test_events_tell_what_happened_and_never_a_value(uow, plan):
    planned = plan(config={"TOKEN": "s3cret"}, digest="d")
    uow.correlation = "op_1"
    for _ in range(2):  # a server that died and came back
        builds.note_asked(uow, planned, {"sha": "abc"})
        builds.note_started(uow, planned)
        builds.note_built(uow, planned, DONE)
    builds.note_reused(uow, planned)
    builds.note_failed(uow, planned, "exit 1", step="Installing")
    rows = uow.connection.execute(spine.events.select()).mappings().all()
    types = [row["type"] for row in rows if row["type"].startswith(("perron.build", "perron.so"))]
    assert types == [
        "perron.source.kept.v1",
        "perron.build.asked.v1",
        "perron.build.started.v1",
        "perron.build.finished.v1",
        "perron.build.reused.v1",
        "perron.build.failed.v1",
    ]
    assert "s3cret" not in repr(rows)


def test_what_pip_was_told_uv_hears_too(plan):
    job = plan(fetch={"PIP_INDEX_URL": "https://i.example", "SSL_CERT_FILE": "/ca.pem"}).job
    assert job.fetch.environment["UV_DEFAULT_INDEX"] == "https://i.example"
    assert job.fetch.ca_bundle == "/ca.pem"
