"""State of an earlier Perron: everybody gets a handle, and nothing is lost."""

from hashlib import sha256

from alembic import command
from alembic.config import Config

from perron.kit.db import open_database
from perron.server import migrations

THEN = "2026-11-01 10:00:00.000000"
NAMES = ["root", "Ada Lovelace", "ada lovelace", "", "42"]


def old_state(path):
    """Write what the first version of the tables held."""
    database = open_database(f"sqlite:///{path}")
    with database.connect() as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", migrations.FOLDER)
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        say = connection.exec_driver_sql
        for number, name in enumerate(NAMES):
            say("INSERT INTO person (id, name, administrator, created) VALUES (?, ?, ?, ?)",
                (f"per_{number}", name, number == 0, THEN))  # fmt: skip
        say("INSERT INTO team (id, name, created) VALUES ('team_1', 'main', ?)", (THEN,))
        say("INSERT INTO member (person, team, role, employer, joined)"
            " VALUES ('per_1', 'team_1', 'owner', 'ACME', ?)", (THEN,))  # fmt: skip
        say("INSERT INTO app (id, name, team, created, is_destroying)"
            " VALUES ('app_1', 'shop', 'team_1', ?, 0)", (THEN,))  # fmt: skip
        digest = sha256(b"perron_old").hexdigest()
        say("INSERT INTO token (id, digest, person, name, created)"
            " VALUES ('tok_1', ?, 'per_1', 'ci', ?)", (digest, THEN))  # fmt: skip
    database.dispose()


def test_people_of_an_earlier_version_have_handles_and_their_tokens_work(tmp_path):
    from fastapi.testclient import TestClient

    from perron.kit.settings import Home, Settings
    from perron.server.app import create_app
    from perron.server.database import prepare

    home = Home(tmp_path)
    old_state(home.database)
    database = prepare(home)
    with database.connect() as connection:
        handles = (
            connection.exec_driver_sql("SELECT handle FROM person ORDER BY id").scalars().all()
        )
    assert handles == ["root", "ada-lovelace", "ada-lovelace-2", "p", "p-42"]
    http = TestClient(
        create_app(database, home, Settings()), headers={"Authorization": "Bearer perron_old"}
    )
    me = http.get("/v1/me").json()
    assert (me["handle"], me["teams"], me["has_password"]) == (
        "ada-lovelace", {"main": "owner"}, False,
    )  # fmt: skip
    assert http.get("/v1/teams/main/members").json()[0]["employer"] == "ACME"
    assert http.get("/v1/apps/shop/tokens").json() == []
    assert http.get("/v1/tokens").json()[0]["app"] is None
    database.dispose()
