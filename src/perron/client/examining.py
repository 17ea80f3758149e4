"""What administrators can ask of the platform itself, one function for each verb."""

from collections.abc import Iterator

from .client import Client, Json


def doctor(client: Client) -> Json:
    """Give what the machine can and cannot do, how full its disk is, how old its backups are."""
    return dict(client.get("/v1/platform/doctor"))


def work(client: Client) -> Iterator[Json]:
    """Give what the platform does just now, for anybody on it."""
    return client.pages("/v1/platform/work")
