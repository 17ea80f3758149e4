"""Where events came from: an address and a client, kept apart so that both can be erased.

An event names its origin by a digest of what is written here. A changed row no longer has the
digest it is named by; an erased one leaves the event, and every proof about it, as they are.
"""

import json
import secrets
from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import Column, String, Table, select

from .callers import Caller
from .db import UnitOfWork
from .tables import metadata

origins = Table(
    "origin",
    metadata,
    Column("id", String, primary_key=True),
    Column("salt", String),
    Column("address", String, index=True),
    Column("client", String),
)


def note(uow: UnitOfWork) -> str | None:
    """Return the origin of what this transaction does, written down when it is new."""
    caller = uow.caller
    if caller is None:
        return None
    same = (origins.c.address == caller.address) & (origins.c.client == caller.client)
    known = uow.connection.execute(select(origins.c.id).where(same).limit(1)).scalar()
    if known:
        return str(known)
    salt = secrets.token_hex(16)
    id = id_of(salt, caller)
    uow.connection.execute(origins.insert().values(id=id, salt=salt, **vars(caller)))
    return id


def id_of(salt: str, caller: Caller) -> str:
    """Return the digest that names an origin."""
    return sha256(json.dumps([salt, caller.address, caller.client]).encode()).hexdigest()


def callers_of(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, Caller]:
    """Return these origins; one that was erased, or does not fit its name, is left out."""
    rows = uow.connection.execute(select(origins).where(origins.c.id.in_(set(ids))))
    found = {row.id: (row.salt, Caller(row.address, row.client)) for row in rows if row.salt}
    return {id: caller for id, (salt, caller) in found.items() if id_of(salt, caller) == id}


def changed(uow: UnitOfWork) -> list[str]:
    """Return the names of origins that no longer say what they said."""
    rows = uow.connection.execute(select(origins).where(origins.c.salt.is_not(None)))
    return [row.id for row in rows if id_of(row.salt, Caller(row.address, row.client)) != row.id]


def erase(uow: UnitOfWork, address: str) -> int:
    """Forget an address and the clients behind it; return how many origins that were."""
    these = origins.c.address == address
    gone = origins.update().where(these).values(salt=None, address=None, client=None)
    return uow.connection.execute(gone).rowcount
