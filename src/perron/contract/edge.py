"""The shapes of domains, maintenance and protection of an environment."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

ENVIRONMENT = "/v1/apps/{app}/environments/{environment}"
DOMAINS = ENVIRONMENT + "/domains"
DOMAIN = DOMAINS + "/{host}"
MAINTENANCE = ENVIRONMENT + "/maintenance"
PROTECTION = ENVIRONMENT + "/protection"
ROUTING = ENVIRONMENT + "/routing"

APPLIED = "Perron-Applied"
"""A header of answers that change the edge: ``true`` once it does so, else ``false``: not yet."""


class DomainRequest(BaseModel):
    """A host name that shall lead here; with a certificate of its own, or the internal CA's."""

    model_config = ConfigDict(extra="forbid")

    host: str
    certificate: str | None = None
    private_key: str | None = None


class DomainView(BaseModel):
    """A host name that leads here."""

    host: str
    url: str
    certificate: str
    expires: datetime | None
    added: datetime | None
    generated: bool


class MaintenanceRequest(BaseModel):
    """Show visitors the maintenance page, or stop showing it."""

    model_config = ConfigDict(extra="forbid")

    on: bool


class ProtectionRequest(BaseModel):
    """Ask visitors for a name and a password; None lifts it."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = None
    password: str | None = None


class RoutingRequest(BaseModel):
    """Limits of the edge for one environment; what is absent stays as it is.

    ``max_body``: the largest body accepted, in bytes, also where its length is not told.
    ``idle_timeout``: how many seconds an answer may be silent. ``log_queries``: query strings
    appear in the router's lines.
    """

    model_config = ConfigDict(extra="forbid")

    max_body: int | None = None
    idle_timeout: float | None = None
    log_queries: bool | None = None


class RoutingView(BaseModel):
    """How visitors are let in; ``user`` is asked for a password, None means public."""

    maintenance: bool
    user: str | None
    max_body: int = 1 << 30
    idle_timeout: float = 60.0
    log_queries: bool = False
