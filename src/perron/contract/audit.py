"""The shapes of the audit trail: who did what, when, from where, and whether that still stands."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .apps import Strict

AUDIT = "/v1/audit"
HEAD = AUDIT + "/head"
VERIFY = AUDIT + "/verify"
RESTART = AUDIT + "/restart"


class Named(BaseModel):
    """Somebody or something by its id, with what it was last called; None when nobody knows."""

    id: str
    name: str | None


class ActorView(Named):
    """Who did something: a person, a token, or the platform itself."""

    kind: str


class CallerView(BaseModel):
    """Where somebody asked from; ``local`` is a command on the platform's own machine."""

    address: str
    client: str


class AuditEntry(BaseModel):
    """One thing that happened. ``before`` and ``after`` are told where something was changed;
    of configuration and secrets only the names are ever told.
    """

    model_config = ConfigDict(populate_by_name=True)

    position: int
    id: str
    at: datetime
    recorded: datetime
    type: str
    actor: ActorView
    from_: Annotated[CallerView | None, Field(alias="from", serialization_alias="from")] = None
    team: Named | None
    app: Named | None
    environment: str | None
    subject: str
    operation: str | None
    before: Any = None
    after: Any = None
    data: dict[str, Any]


class HeadView(BaseModel):
    """A signed place in the chain: keep it elsewhere, and no later change before it can hide.

    ``signature`` is Ed25519 over the other fields as JSON, sorted, without blanks.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["head", "restart"]
    position: int
    chain: str
    at: str
    previous: str
    key: str
    why: str = ""
    by: str = ""
    cut_position: int | None = None
    cut_chain: str | None = None
    signature: str


class FaultView(BaseModel):
    """Something that is wrong, and the first position it is known of."""

    kind: str
    position: int | None
    text: str


class ChainView(BaseModel):
    """Where the chain stands. ``head`` is None before the first was signed; with a ``fault``
    nothing is signed until an administrator accepted it. ``public_key`` is hexadecimal.
    """

    head: HeadView | None
    fault: FaultView | None
    public_key: str | None


class VerifyRequest(Strict):
    """What to verify against; ``head`` is one that was kept elsewhere."""

    head: HeadView | None = None


class VerdictView(BaseModel):
    """Whether everything is as it was written: whole, broken or unknown.

    ``faults`` begins with the first bad position; ``waiting`` events are too new for a link.
    """

    answer: Literal["whole", "broken", "unknown"]
    text: str
    checked: int
    waiting: int
    faults: list[FaultView]
    head: HeadView | None


class RestartRequest(Strict):
    """Accept that events are missing; ``why`` stands in the trail for ever."""

    why: Annotated[str, Field(min_length=3, max_length=500)]
