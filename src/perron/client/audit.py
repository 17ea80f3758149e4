"""What the audit trail can be asked, one function for each verb."""

from collections.abc import Iterator

from .client import Client, Json, Query

AUDIT = "/v1/audit"


def events(client: Client, query: Query) -> Iterator[Json]:
    """Give what happened, newest first."""
    return client.pages(AUDIT, query)


def head(client: Client) -> Json:
    """Give the newest signed head, and whether the chain goes on from it."""
    return dict(client.get(f"{AUDIT}/head"))


def verify(client: Client, kept: Json | None) -> Json:
    """Have everything verified, against ``kept`` too when a head was kept elsewhere."""
    return dict(client.send("POST", f"{AUDIT}/verify", {"head": kept}))


def accept(client: Client, why: str) -> Json:
    """Let the chain go on although events are missing."""
    return dict(client.send("POST", f"{AUDIT}/restart", {"why": why}))
