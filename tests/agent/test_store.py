"""node.db: its steps lead to the tables the rooms use, and wishes come back as they were kept."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import perron.agent.instances.store
import perron.agent.jobs.store
import perron.agent.volumes.store  # noqa: F401 - each adds its tables
from perron.agent import store
from perron.agent.places import Places, can_bind, connectable
from perron.agent.store import Kept
from perron.contract.node import EnvironmentWish, ProcessSet
from perron.kit.db import reading, unit_of_work
from perron.kit.problems import NotFound
from perron.kit.seal import Sealer
from perron.kit.settings import Home, Settings


def wish(name: str = "env_a") -> EnvironmentWish:
    one = ProcessSet(
        process="web", release=1, revision="r", build="b", command="c", count=1,
        env={"SECRET": "s3cr3t"},
    )  # fmt: skip
    return EnvironmentWish(
        environment=name, app="a", team="t", app_name="shop", environment_name="production",
        hosts=[], sets=[one],
    )  # fmt: skip


def test_the_steps_make_exactly_the_tables_that_are_used(tmp_path: Path) -> None:
    database = store.prepare(Home(tmp_path))
    with reading(database) as uow:
        context = MigrationContext.configure(uow.connection)
        assert compare_metadata(context, store.metadata) == []


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    with unit_of_work(store.prepare(Home(tmp_path))) as uow:
        name = store.node_id(uow)
    with unit_of_work(store.prepare(Home(tmp_path))) as uow:
        assert store.node_id(uow) == name


def test_a_newer_state_is_refused_by_name(tmp_path: Path) -> None:
    home = Home(tmp_path)
    store.prepare(home).dispose()
    with sqlite3.connect(home.node_database) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(store.NewerState, match="a newer one wrote it"):
        store.prepare(home)


def test_wishes_come_back_and_their_configuration_is_sealed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    database = store.prepare(home)
    sealer = Sealer.from_file(home.keys / "node.key")
    kept = Kept(wish(), generation=3, parked=True, cut=2)
    with unit_of_work(database) as uow:
        store.keep(uow, sealer, {"env_a": kept})
    with reading(database) as uow:
        assert store.kept(uow, sealer) == {"env_a": kept}
    database.dispose()
    assert not any(b"s3cr3t" in each.read_bytes() for each in tmp_path.glob("node.db*"))


def test_each_environment_has_a_uid_of_its_own_until_it_is_given_back(tmp_path: Path) -> None:
    places = Places(store.prepare(Home(tmp_path)), Home(tmp_path), Settings(slot=6))
    first, second = places.uid_of("env_a"), places.uid_of("env_b")
    if first in Settings(slot=6).uids:
        assert first != second
        places.free_uid("env_a")
        assert places.uid_of("env_c") == first
    assert places.uid_of("env_b") == second


def test_a_port_has_one_holder_and_rests_when_it_is_given_back(tmp_path: Path) -> None:
    places = Places(store.prepare(Home(tmp_path)), Home(tmp_path), Settings(slot=6))
    first = places.claim_port("a")
    assert places.claim_port("b") != first
    places.free_port(first)
    assert places.claim_port("c") != first
    assert can_bind(first)


def test_ids_that_lead_elsewhere_are_nobodys(tmp_path: Path) -> None:
    places = Places(store.prepare(Home(tmp_path)), Home(tmp_path), Settings())
    for bad in ("..", "a/b", "", "../x", "a\0"):
        with pytest.raises(NotFound):
            places.volumes(bad)


def test_no_app_may_connect_to_other_instances_or_to_the_edge() -> None:
    settings = Settings(slot=2, http_port=8080, https_port=8443)
    ports = connectable(settings, [8080, 8443, 14_001, 7777, 0, 99_999])
    assert 7777 in ports
    assert 443 in ports
    assert not {8080, 8443, 14_001, 0, 99_999} & set(ports)
