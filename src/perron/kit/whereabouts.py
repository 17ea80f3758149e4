"""What belongs to the home a transaction's database lives in: its folder, settings and seal."""

from pathlib import Path

from .db import UnitOfWork
from .seal import Sealer
from .settings import Home, Settings, load


def home_of(uow: UnitOfWork) -> Home:
    """Return the home: the one given as the database's ``home`` option, or its own folder."""
    given = uow.connection.get_execution_options().get("home")
    if isinstance(given, Home):
        return given
    return Home(Path(uow.connection.engine.url.database or ".").absolute().parent)


def settings_of(uow: UnitOfWork) -> Settings:
    """Return how this home was set up."""
    return load(home_of(uow))


def sealer_of(uow: UnitOfWork) -> Sealer:
    """Return the seal of the server's secrets, whose key never lies in the database."""
    return Sealer.from_file(home_of(uow).keys / "master.key")
