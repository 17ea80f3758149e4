"""Hosts and who is let in: what may be a host, which certificate fits, how a visitor is known."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from perron.contract.node import Certificate
from perron.kit.problems import Conflict, NotFound, Unprocessable

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
USER = re.compile(r"[^\x00-\x20:\x7f]{1,64}")
HOST_LENGTH = 253
DOMAINS_EACH = 100
PASSWORD_LENGTH = range(8, 257)
LIMITS = ("max_body", "idle_timeout", "log_queries")
MAX_BODY = range(1, 1 << 40)
IDLE_TIMEOUT = (1.0, 3600.0)


@dataclass(frozen=True)
class Domain:
    """A host name that leads to an environment; ``pem`` is its given certificate with key."""

    host: str
    environment: str
    added: datetime
    by: str
    expires: datetime | None = None
    pem: str | None = None


@dataclass(frozen=True)
class Entrance:
    """How visitors of one environment are let in."""

    maintenance: bool = False
    user: str | None = None
    password: str | None = None
    max_body: int = 1 << 30
    idle_timeout: float = 60.0
    log_queries: bool = False

    @property
    def limits(self) -> dict[str, Any]:
        """Return what the edge accepts and logs."""
        return {name: getattr(self, name) for name in LIMITS}


@dataclass(frozen=True)
class Routing:
    """Everything the edge is told of an environment, besides its instances."""

    hosts: Sequence[str]
    entrance: Entrance
    certificates: Sequence[Certificate] = ()

    def as_wish(self) -> dict[str, Any]:
        """Return it as the fields of an EnvironmentWish."""
        own = vars(self.entrance)
        return {"hosts": list(self.hosts), "certificates": list(self.certificates), **own}


@dataclass(frozen=True)
class DomainAdded:
    """Another host leads to an environment."""

    type: ClassVar[str] = "perron.domain.added.v1"
    host: str
    given_certificate: bool


@dataclass(frozen=True)
class DomainRemoved:
    """A host leads to an environment no more."""

    type: ClassVar[str] = "perron.domain.removed.v1"
    host: str


@dataclass(frozen=True)
class MaintenanceChanged:
    """Visitors see the maintenance page from now on, or no more."""

    type: ClassVar[str] = "perron.maintenance.changed.v1"
    on: bool


@dataclass(frozen=True)
class ProtectionChanged:
    """Visitors are asked for a password from now on, or no more."""

    type: ClassVar[str] = "perron.protection.changed.v1"
    on: bool


@dataclass(frozen=True)
class LimitsChanged:
    """The edge accepts other bodies, waits for other times, or logs otherwise."""

    type: ClassVar[str] = "perron.routing.changed.v1"
    max_body: int
    idle_timeout: float
    log_queries: bool
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class DomainRefused(Unprocessable):
    """That cannot be a host of an environment."""


class DomainTaken(Conflict):
    """The host leads somewhere else already."""


class DomainNotFound(NotFound):
    """The environment has no such host."""


class TooManyDomains(Conflict):
    """The environment has as many hosts as one may have."""


class CertificateRefused(Unprocessable):
    """The certificate or its key cannot be used for the host."""


class ProtectionRefused(Unprocessable):
    """The name or the password cannot be used."""


class LimitRefused(Unprocessable):
    """A limit of the edge is out of bounds."""


def host_from(text: str, *, platform: str, apps: str) -> str:
    """Return the host as it is compared, or raise DomainRefused."""
    host = _ascii(text.strip().rstrip(".").lower())
    labels = host.split(".")
    if "*" in host:
        raise DomainRefused("A wildcard would take hosts of others: add each host by its name.")
    if len(host) > HOST_LENGTH or len(labels) < 2 or not all(map(LABEL.fullmatch, labels)):
        raise DomainRefused(f"{text!r} is not a host name; one looks like shop.example.com.")
    if _is_address(host):
        raise DomainRefused(f"{text!r} is an address; a domain is a name such as shop.example.com.")
    for ours, what in ((platform, "the platform itself"), (apps, "apps and named after them")):
        if host == ours or host.endswith("." + ours):
            raise DomainRefused(f"Hosts under {ours} are kept for {what}.", host=host)
    return host


def check_free(host: str, *, holder: str | None, environment: str) -> None:
    """Refuse a host that somebody else was first to claim."""
    if holder not in (None, environment):
        raise DomainTaken(
            f"{host} leads to another environment already; it must be removed there first.",
            host=host,
        )


def check_certificate(host: str, certificate: str, private_key: str, now: datetime) -> datetime:
    """Return when a certificate ends, or raise CertificateRefused and say why."""
    leaf = _leaf(certificate)
    if leaf.public_key() != _public_key_of(private_key):
        raise CertificateRefused("The private key does not belong to the certificate.")
    if not any(covers(name, host) for name in names_of(leaf)):
        known = ", ".join(names_of(leaf)) or "no host"
        raise CertificateRefused(f"The certificate is not for {host}; it is for {known}.")
    if leaf.not_valid_after_utc <= now:
        raise CertificateRefused(f"The certificate ended on {leaf.not_valid_after_utc:%d %b %Y}.")
    return leaf.not_valid_after_utc


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the hosts a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in found.get_values_for_type(x509.DNSName)]


def covers(name: str, host: str) -> bool:
    """Say whether a name of a certificate stands for the host: a star is exactly one label."""
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:] and host.partition(".")[0] != ""
    return name == host


def protected(entrance: Entrance, user: str | None, password: str | None, salt: str) -> Entrance:
    """Return an entrance that asks for name and password; without them, one that does not."""
    if user is None and password is None:
        return replace(entrance, user=None, password=None)
    if not user or not USER.fullmatch(user):
        raise ProtectionRefused("A name is 1 to 64 characters without spaces and colons.")
    if password is None or len(password) not in PASSWORD_LENGTH or not password.isprintable():
        raise ProtectionRefused("A password is 8 to 256 printable characters.")
    return replace(entrance, user=user, password=hashed(user, password, salt))


def hashed(user: str, password: str, salt: str) -> str:
    """Return what the edge compares with every request: salted, and quick for that reason.

    A slow hash would cost its time on each request; see docs/decisions/0004-edge-passwords.md.
    """
    digest = sha256(f"{salt}:{user}:{password}".encode()).hexdigest()
    return f"sha256${salt}${digest}"


def check_limits(entrance: Entrance) -> None:
    """Raise LimitRefused when a limit is out of bounds."""
    if entrance.max_body not in MAX_BODY:
        raise LimitRefused(f"max_body is 1 to {MAX_BODY.stop - 1} bytes.")
    shortest, longest = IDLE_TIMEOUT
    if not shortest <= entrance.idle_timeout <= longest:
        raise LimitRefused(f"idle_timeout is {shortest:g} to {longest:g} seconds.")


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        raise DomainRefused(f"{host!r} is not a host name.") from None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _leaf(certificate: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(certificate.encode())[0]
    except (ValueError, IndexError):
        raise CertificateRefused("The certificate cannot be read: PEM is wanted.") from None


def _public_key_of(private_key: str) -> object:
    try:
        return serialization.load_pem_private_key(private_key.encode(), None).public_key()
    except (ValueError, TypeError):
        raise CertificateRefused(
            "The private key cannot be read: PEM without a passphrase is wanted."
        ) from None
