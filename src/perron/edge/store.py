"""Where hosts and entrances are kept; private keys are sealed and bound to their host."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, Row, String, Table, select

from perron.kit.db import UnitOfWork, UtcDateTime
from perron.kit.questions import Question, among
from perron.kit.tables import metadata
from perron.kit.whereabouts import sealer_of

from .model import Domain, Entrance

domains = Table(
    "domain",
    metadata,
    Column("host", String, primary_key=True),
    Column("environment", String, nullable=False, index=True),
    Column("added", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("expires", UtcDateTime),
    Column("sealed", LargeBinary),
)
entrances = Table(
    "entrance",
    metadata,
    Column("environment", String, primary_key=True),
    Column("maintenance", Boolean, nullable=False),
    Column("user", String),
    Column("password", String),
    Column("max_body", Integer, nullable=False),
    Column("idle_timeout", Float, nullable=False),
    Column("log_queries", Boolean, nullable=False),
)
_HOSTS = Question(
    select(domains.c.environment, domains.c.host)
    .where(among(domains.c.environment, "environments"))
    .order_by(domains.c.added)
)


def holder_of(uow: UnitOfWork, host: str) -> str | None:
    """Return the environment a host leads to, if there is one."""
    query = select(domains.c.environment).where(domains.c.host == host)
    return uow.connection.execute(query).scalar()


def put_domain(uow: UnitOfWork, domain: Domain) -> None:
    """Keep a host in place of what was known of it."""
    uow.connection.execute(domains.delete().where(domains.c.host == domain.host))
    row = asdict(domain)
    pem = row.pop("pem")
    sealed = sealer_of(uow).seal(pem, owner=_owner(domain)) if pem else None
    uow.connection.execute(domains.insert().values(**row, sealed=sealed))


def remove_domain(uow: UnitOfWork, environment: str, host: str) -> bool:
    """Forget a host of the environment; say whether it was there."""
    this = (domains.c.environment == environment) & (domains.c.host == host)
    return uow.connection.execute(domains.delete().where(this)).rowcount == 1


def domains_of(uow: UnitOfWork, environment: str) -> list[Domain]:
    """Return the environment's added hosts, oldest first."""
    query = select(domains).where(domains.c.environment == environment)
    rows = uow.connection.execute(query.order_by(domains.c.added, domains.c.host)).all()
    return [_domain(uow, row) for row in rows]


def hosts_of_all(uow: UnitOfWork, environments: Collection[str]) -> dict[str, list[str]]:
    """Return the added hosts of many environments, oldest first."""
    found: dict[str, list[str]] = {}
    for environment, host in _HOSTS.rows(uow, environments=environments):
        found.setdefault(environment, []).append(host)
    return found


def entrance_of(uow: UnitOfWork, environment: str) -> Entrance:
    """Return how visitors are let in; open, unless something else was asked."""
    query = select(entrances).where(entrances.c.environment == environment)
    row = uow.connection.execute(query).mappings().first()
    if row is None:
        return Entrance()
    return Entrance(**{name: value for name, value in row.items() if name != "environment"})


def put_entrance(uow: UnitOfWork, environment: str, entrance: Entrance) -> None:
    """Keep how visitors are let in."""
    uow.connection.execute(entrances.delete().where(entrances.c.environment == environment))
    row = asdict(entrance)
    uow.connection.execute(entrances.insert().values(environment=environment, **row))


def forget(uow: UnitOfWork, environment: str) -> None:
    """Forget everything of the environment; its hosts are free again."""
    for table in (domains, entrances):
        uow.connection.execute(table.delete().where(table.c.environment == environment))


def _domain(uow: UnitOfWork, row: Row[Any]) -> Domain:
    domain = Domain(row.host, row.environment, row.added, row.by, row.expires)
    if row.sealed is None:
        return domain
    pem = sealer_of(uow).open(row.sealed, owner=_owner(domain))
    return Domain(row.host, row.environment, row.added, row.by, row.expires, pem)


def _owner(domain: Domain) -> str:
    return f"{domain.environment}/domain/{domain.host}"
