"""What a backup has of this machine, with no agent: volumes, out and in; a node.db made fit."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, select

from perron.kit.db import open_database, unit_of_work
from perron.kit.files import private_folder
from perron.kit.settings import Home, Settings

from . import store
from .instances.store import instances
from .jobs.store import jobs
from .volumes import files as archives
from .volumes.store import volumes as kept_volumes


@dataclass(frozen=True)
class KeptVolume:
    """A volume, where its files are, and whose they are; nobody's where nothing has run yet."""

    environment: str
    name: str
    folder: Path
    uid: int


def volumes(home: Home) -> list[KeptVolume]:
    """Return every volume whose files are here."""
    database = open_database(f"sqlite:///{home.node_database}")
    try:
        with unit_of_work(database) as uow:
            rows = uow.connection.execute(
                select(kept_volumes.c.environment, kept_volumes.c.name, store.uids.c.uid)
                .join(
                    store.uids, store.uids.c.environment == kept_volumes.c.environment, isouter=True
                )
                .order_by(kept_volumes.c.environment, kept_volumes.c.name)
            ).all()
    finally:
        database.dispose()
    found = [
        KeptVolume(row.environment, row.name, _place(home, row.environment, row.name),
                   os.getuid() if row.uid is None else int(row.uid))
        for row in rows
    ]  # fmt: skip
    return [each for each in found if each.folder.is_dir()]


def pack(each: KeptVolume, place: Path) -> None:
    """Write a volume's files as an archive, read as its own user."""
    with place.open("wb") as file:
        archives.pack(each.folder, _acting(each.uid), file, compress=True)


def unpack(home: Home, environment: str, name: str, archive: Path) -> None:
    """Make a volume of an archive; nothing runs meanwhile."""
    database = open_database(f"sqlite:///{home.node_database}")
    try:
        with unit_of_work(database) as uow:
            query = select(store.uids.c.uid).where(store.uids.c.environment == environment)
            found = uow.connection.execute(query).scalar()
    finally:
        database.dispose()
    uid = os.getuid() if found is None else int(found)
    folder = _place(home, environment, name)
    private_folder(folder.parent)
    archives.remove(folder)
    folder.mkdir(mode=0o700)
    if os.getuid() == 0:
        os.chown(folder, uid, uid)
    archives.unpack(archive, folder, _acting(uid))


def make_fit(home: Home, before: Settings, now: Settings) -> None:
    """Make a node.db of another machine fit here: nothing runs, uids are of this home's band."""
    shift = now.uids.start - before.uids.start
    database = store.prepare(home)
    try:
        with unit_of_work(database) as uow:
            run = uow.connection.execute
            run(delete(instances))
            run(delete(store.ports))
            run(delete(jobs).where(jobs.c.state.in_(["queued", "running"])))
            known = run(select(store.uids.c.environment, store.uids.c.uid)).all()
            run(delete(store.uids))
            for row in known:
                run(store.uids.insert().values(environment=row.environment, uid=row.uid + shift))
    finally:
        database.dispose()


def _place(home: Home, environment: str, name: str) -> Path:
    return home.node / "volumes" / environment / name


def _acting(uid: int) -> int:
    return uid if os.getuid() == 0 else os.getuid()
