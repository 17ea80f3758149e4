"""The state: whole or refused by name, brought up to date, copied and put back."""

import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect

from perron.kit import clock, files, lock
from perron.kit.db import open_database
from perron.kit.tables import metadata
from perron.server import backups, database
from perron.server.freshness import made_at
from perron.server.lockers import locker_of
from perron.server.retention import Policy

HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE" if sys.argv[2] == "exclusive" else "BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(ground):
    """Start another process that locks the database."""
    started = []

    def hold(how="immediate"):
        command = [sys.executable, "-c", HOLDER, str(ground.home.database), how]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield hold
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def damage(path: Path):
    data = bytearray(path.read_bytes())
    data[4096 : 4096 * 6] = b"\xff" * 4096 * 5
    path.write_bytes(data)


def shape(database_):
    """Return everything about the tables that SQLite knows, however they were made."""
    found = inspect(database_)
    return {
        name: (
            sorted(
                (each["name"], str(each["type"]), each["nullable"], each["primary_key"])
                for each in found.get_columns(name)
            ),
            sorted(
                (str(each["name"]), tuple(each["column_names"]), bool(each["unique"]))
                for each in found.get_indexes(name)
            ),
            sorted(tuple(each["column_names"]) for each in found.get_unique_constraints(name)),
            sorted(
                (tuple(each["constrained_columns"]), each["referred_table"])
                for each in found.get_foreign_keys(name)
            ),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def extras(database_):
    """Return what only the text of a table says: partial indexes, positions never given twice."""
    query = "SELECT name, sql LIKE '%AUTOINCREMENT%', sql LIKE '% WHERE %' FROM sqlite_master"
    with database_.connect() as connection:
        rows = connection.exec_driver_sql(query + " WHERE sql IS NOT NULL").all()
    return {row for row in rows if row[0] != "alembic_version"}


def test_the_migrations_make_exactly_the_tables_of_the_rooms(ground, tmp_path):
    plain = open_database(f"sqlite:///{tmp_path / 'plain.db'}")
    metadata.create_all(plain)
    assert shape(ground.database) == shape(plain), "run: python -m tools.migration"
    assert extras(ground.database) == extras(plain)


def test_preparing_again_changes_nothing(ground):
    again = database.prepare(ground.home)
    assert shape(again) == shape(ground.database)
    assert ground.home.database.stat().st_mode & 0o777 == 0o600
    again.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    fresh = open_database(f"sqlite:///{tmp_path / 'perron.db'}")

    def upgrade(config, _to):
        config.attributes["connection"].exec_driver_sql("CREATE TABLE half (id INTEGER)")
        raise RuntimeError("power cut")

    monkeypatch.setattr("alembic.command.upgrade", upgrade)
    with pytest.raises(RuntimeError):
        database.upgrade(fresh)
    assert inspect(fresh).get_table_names() == []


def test_the_state_of_a_newer_perron_is_refused_by_name(ground):
    with ground.writing() as uow:
        uow.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(database.StateTooNew, match="9999"):
        database.prepare(ground.home)


def test_a_damaged_database_is_refused_with_the_newest_good_backup_and_what_to_type(ground):
    good, bad = database.backup(ground.home), database.backup(ground.home)
    damage(bad)
    ground.database.dispose()
    damage(ground.home.database)
    before = ground.home.database.read_bytes()
    with pytest.raises(database.StateDamaged) as refused:
        database.prepare(ground.home)
    assert f"perron platform restore {good}" in refused.value.detail
    assert str(bad) not in refused.value.detail
    assert ground.home.database.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_without_a_backup_too(ground):
    ground.database.dispose()
    ground.home.database.write_bytes(b"not a database at all" * 500)
    with pytest.raises(database.StateDamaged, match="no good backup"):
        database.prepare(ground.home)


def test_a_backup_is_whole_private_and_taken_beside_a_writer(ground):
    with ground.writing() as uow:
        uow.connection.exec_driver_sql("UPDATE app SET name = 'unseen'")
        made = database.backup(ground.home)
    assert made.stat().st_mode & 0o777 == 0o600
    assert backups.fault_of(made) is None
    copied = sqlite3.connect(made)
    assert copied.execute("SELECT name FROM app").fetchall() == [("shop",)]
    copied.close()
    assert backups.newest_good(ground.home) == made
    assert not list(ground.home.backups.glob(".*"))


def test_a_backup_that_does_not_fit_is_refused_before_it_is_begun(ground, monkeypatch):
    monkeypatch.setattr(backups, "RESERVE", 1 << 60)
    with pytest.raises(files.DiskFull):
        database.backup(ground.home)
    assert list(ground.home.backups.iterdir()) == []


def test_restoring_puts_a_backup_in_place_and_keeps_what_was_there(ground):
    made = database.backup(ground.home)
    ground.http().post("/v1/apps", json={"name": "later"})
    ground.database.dispose()
    kept = database.restore(ground.home, made)
    again = database.prepare(ground.home)
    with again.connect() as connection:
        assert connection.exec_driver_sql("SELECT name FROM app").scalars().all() == ["shop"]
    again.dispose()
    aside = open_database(f"sqlite:///{kept / 'perron.db'}")
    with aside.connect() as connection:
        names = connection.exec_driver_sql("SELECT name FROM app ORDER BY name").scalars().all()
    aside.dispose()
    assert names == ["later", "shop"]


def test_a_damaged_backup_is_not_restored(ground):
    good, bad = database.backup(ground.home), database.backup(ground.home)
    damage(bad)
    with pytest.raises(database.RestoreRefused, match=str(good)):
        database.restore(ground.home, bad)
    assert ground.home.database.exists()


def test_nothing_is_restored_under_a_running_server(ground):
    made = database.backup(ground.home)
    script = "import sys, time; from pathlib import Path; from perron.kit import lock; "
    script += "held = lock.hold(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)"
    path = ground.home.run / "serve.lock"
    command = [sys.executable, "-c", script, str(path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline() == b"held\n"
        assert lock.holder(path) == server.pid
        with pytest.raises(database.RestoreRefused, match=f"process {server.pid}.*perron down"):
            database.restore(ground.home, made)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_a_day_by_hour_and_a_week_by_day_are_kept(ground, monkeypatch):
    files.private_folder(ground.home.backups)
    now = clock.now().replace(minute=30)
    for hours in range(24 * 12):
        for minutes in (0, 10):
            at = now - timedelta(hours=hours, minutes=minutes)
            (ground.home.backups / at.strftime(backups.FORMAT)).touch()
    backups.prune(ground.home, Policy())
    kept = backups.all_of(ground.home)
    ages = [(now - made_at(each)).total_seconds() / 3600 for each in kept]
    assert len(kept) <= 24 + 7
    assert sum(age < 24 for age in ages) == 24
    assert max(ages) > 24 * 5


@pytest.mark.parametrize("how", ["immediate", "exclusive"])
def test_who_locks_the_database_is_named(ground, holder, how):
    process = holder(how)
    assert f"process {process.pid}" in str(locker_of(ground.home.database))


def test_a_locked_database_is_waited_for_then_its_holder_is_named(ground, holder, monkeypatch):
    process = holder()
    began = time.monotonic()
    answer = ground.http().post("/v1/apps", json={"name": "blog"})
    assert time.monotonic() - began > 3
    assert time.monotonic() - began < 7
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert f"process {process.pid}" in answer.json()["detail"]
    assert answer.json()["type"].endswith("/DatabaseLocked")
    assert (answer.json()["pid"], "python" in answer.json()["command"]) == (process.pid, True)
    assert ground.http().get("/v1/me").status_code == 200  # readers wait for no writer
    process.kill()
    process.wait()
    assert ground.http().post("/v1/apps", json={"name": "blog"}).status_code == 201


def test_a_server_that_cannot_start_names_who_locks_its_state(ground, holder):
    with ground.writing() as uow:
        uow.connection.exec_driver_sql("PRAGMA user_version")
    process = holder("exclusive")
    ground.database.dispose()
    with pytest.raises(database.StateLocked, match=f"process {process.pid}"):
        database.prepare(ground.home)
