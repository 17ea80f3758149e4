"""What the steps fill in for rows that were there before a column was.

A step stands in people's databases for ever: these functions use nothing but the columns of then.
"""

import re

import sqlalchemy as sa
from sqlalchemy import Connection

LONGEST = 28


def give_handles(connection: Connection) -> None:
    """Give everybody a handle of their own, made of their name (step 0002)."""
    people = sa.table("person", sa.column("id"), sa.column("name"), sa.column("handle"))
    taken: set[str] = set()
    for row in connection.execute(sa.select(people).order_by(people.c.id)).all():
        handle = _free(row.name, taken)
        taken.add(handle)
        connection.execute(people.update().where(people.c.id == row.id).values(handle=handle))


def _free(name: str, taken: set[str]) -> str:
    letters = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    base = letters if letters[:1].isalpha() else f"p-{letters}".strip("-")
    base = base[:LONGEST].rstrip("-")
    number, handle = 1, base
    while handle in taken:
        number += 1
        handle = f"{base[: LONGEST - len(str(number)) - 1]}-{number}"
    return handle
