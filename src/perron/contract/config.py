"""The shapes of an environment's configuration."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

CONFIG = "/v1/apps/{app}/environments/{environment}/config"
REVEAL = CONFIG + "/{name}/reveal"


class Entry(BaseModel):
    """One key; ``value`` is masked for secrets. ``build``: builds see it too."""

    name: str
    value: str
    secret: bool
    build: bool
    changed: datetime
    by: str
    by_name: str = ""


class ConfigView(BaseModel):
    """An environment's configuration; ``digest`` names exactly these values."""

    digest: str
    entries: list[Entry]


class Assignment(BaseModel):
    """A value to keep; plain only when asked for."""

    model_config = ConfigDict(extra="forbid")

    value: Annotated[str, Field(max_length=65_536)]
    secret: bool = True
    build: bool = False


class ConfigChange(BaseModel):
    """Keys to set and keys to unset, together or not at all."""

    model_config = ConfigDict(extra="forbid")

    set: Annotated[dict[str, Assignment], Field(max_length=500)] = {}
    unset: Annotated[list[str], Field(max_length=500)] = []


class ConfigChanged(BaseModel):
    """What came of a change; ``release`` follows from it when something is live."""

    config: ConfigView
    operation: str | None
    release: int | None


class Revealed(BaseModel):
    """A value in the clear, shown on purpose and recorded."""

    name: str
    value: str
