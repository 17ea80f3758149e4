"""The shapes of tokens: keys to the API for scripts and other machines."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from .apps import APP, Strict
from .people import PersonBrief
from .teams import TEAM, Role

TOKENS = "/v1/tokens"
TOKEN = TOKENS + "/{token}"
APP_TOKENS = APP + "/tokens"
TEAM_TOKENS = TEAM + "/tokens"


class TokenRequest(Strict):
    """A new token: for all you may do, or for one ``app`` in a ``role`` no higher than yours.

    ``expires_in`` is in days.
    """

    name: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    expires_in: Annotated[int, Field(ge=1, le=365)] = 90
    app: str | None = None
    role: Role | None = None

    @model_validator(mode="after")
    def _names_both_or_none(self) -> "TokenRequest":
        if (self.app is None) != (self.role is None):
            raise ValueError("app and role go together")
        return self


class TokenView(BaseModel):
    """A token by its id; its text was shown once, when it was made.

    ``app`` is the name of the only app it reaches, None when it reaches all that its person may.
    """

    id: str
    name: str
    person: PersonBrief
    app: str | None
    role: Role | None
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None
    current: bool = False


class TokenMadeView(TokenView):
    """A token with its text, which is never shown again."""

    token: str
