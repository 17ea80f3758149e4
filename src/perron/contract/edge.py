"""The shapes of domains, maintenance and protection of an environment."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

ENVIRONMENT = "/v1/apps/{app}/environments/{environment}"
DOMAINS = ENVIRONMENT + "/domains"
DOMAIN = DOMAINS + "/{host}"
MAINTENANCE = ENVIRONMENT + "/maintenance"
PROTECTION = ENVIRONMENT + "/protection"


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


class RoutingView(BaseModel):
    """How visitors are let in."""

    maintenance: bool
    user: str | None
