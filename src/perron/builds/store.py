"""Where sources and builds are kept."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, func, select

from perron.kit import clock
from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.tables import metadata

from .model.build import Build
from .model.manifest import Manifest
from .model.source import Source

sources = Table(
    "source",
    metadata,
    Column("app", ForeignKey("app.id"), primary_key=True),
    Column("digest", String, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("files", Integer, nullable=False),
    Column("kept", UtcDateTime, nullable=False),
)
builds = Table(
    "build",
    metadata,
    Column("app", ForeignKey("app.id"), primary_key=True),
    Column("identity", String, primary_key=True),
    Column("source", String, nullable=False),
    Column("root", String, nullable=False),
    Column("detector", String, nullable=False),
    Column("manifest", JSON, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("size", Integer),
)


def add_source(uow: UnitOfWork, app: str, source: Source) -> bool:
    """Keep that the app has this source; say whether that is new."""
    this = (sources.c.app == app) & (sources.c.digest == source.digest)
    known = find_source(uow, app, source.digest)
    if known:
        uow.connection.execute(sources.update().where(this).values(kept=clock.now()))
    else:
        row = {"app": app, "kept": clock.now(), **vars(source)}
        uow.connection.execute(sources.insert().values(**row))
    return known is None


def find_source(uow: UnitOfWork, app: str, digest: str) -> Source | None:
    """Return the app's source of that digest, if there is one."""
    query = select(sources.c.digest, sources.c.size, sources.c.files).where(
        sources.c.app == app, sources.c.digest == digest
    )
    row = uow.connection.execute(query).mappings().first()
    return Source(**row) if row else None


def source_kept_by_any(uow: UnitOfWork, digest: str) -> bool:
    """Say whether any app has this source."""
    query = select(sources.c.digest).where(sources.c.digest == digest).limit(1)
    return uow.connection.execute(query).first() is not None


def sources_of(uow: UnitOfWork, app: str, *, before: datetime | None = None) -> list[str]:
    """Return the digests of the app's sources, all or those last sent before a moment."""
    query = select(sources.c.digest).where(sources.c.app == app)
    if before:
        query = query.where(sources.c.kept < before)
    return list(uow.connection.execute(query).scalars())


def drop_source(uow: UnitOfWork, app: str, digest: str) -> None:
    """Forget that the app has this source."""
    this = (sources.c.app == app) & (sources.c.digest == digest)
    uow.connection.execute(sources.delete().where(this))


def add_build(uow: UnitOfWork, build: Build) -> None:
    """Keep a build, in place of what was known under its identity."""
    drop_build(uow, build.app, build.identity)
    row = vars(build) | {"manifest": build.manifest.as_json()}
    uow.connection.execute(builds.insert().values(**row))


def find_build(uow: UnitOfWork, app: str, identity: str) -> Build | None:
    """Return the app's build of that identity, if there is one."""
    query = select(builds).where(builds.c.app == app, builds.c.identity == identity)
    row = uow.connection.execute(query).mappings().first()
    if row is None:
        return None
    return Build(**(dict(row) | {"manifest": Manifest.from_json(row["manifest"])}))


def builds_of(uow: UnitOfWork, app: str, *, before: datetime | None = None) -> list[str]:
    """Return the identities of the app's builds, all or those made before a moment."""
    query = select(builds.c.identity).where(builds.c.app == app).order_by(builds.c.created)
    if before:
        query = query.where(builds.c.created < before)
    return list(uow.connection.execute(query).scalars())


def all_builds(uow: UnitOfWork) -> set[str]:
    """Return the identity of every app's builds."""
    return set(uow.connection.execute(select(builds.c.identity)).scalars())


def size_of_all(uow: UnitOfWork, apps: Sequence[str]) -> int:
    """Return the sizes of all sources and builds of these apps, added up."""
    sizes = (
        select(func.sum(table.c.size)).where(table.c.app.in_(apps)) for table in (sources, builds)
    )
    return sum(uow.connection.execute(query).scalar() or 0 for query in sizes)


def drop_build(uow: UnitOfWork, app: str, identity: str) -> None:
    """Forget a build."""
    this = (builds.c.app == app) & (builds.c.identity == identity)
    uow.connection.execute(builds.delete().where(this))
