"""What can be done with hosts and entrances; each change is an event, and the wish follows it."""

import secrets
from collections.abc import Collection
from dataclasses import replace

from perron import catalog
from perron.catalog import Environment
from perron.contract.node import Certificate
from perron.kit import clock, spine
from perron.kit.db import UnitOfWork
from perron.kit.whereabouts import settings_of

from . import store
from .model import (
    DOMAINS_EACH,
    CertificateRefused,
    Domain,
    DomainAdded,
    DomainNotFound,
    DomainRemoved,
    Entrance,
    LimitsChanged,
    MaintenanceChanged,
    ProtectionChanged,
    Routing,
    TooManyDomains,
    check_certificate,
    check_free,
    check_limits,
    host_from,
    protected,
)


def routing_of(uow: UnitOfWork, environment: Environment) -> Routing:
    """Return everything the edge is told of an environment, besides its instances."""
    added = store.domains_of(uow, environment.id)
    return Routing(
        hosts=[generated_host(uow, environment), *(each.host for each in added)],
        entrance=entrance_of(uow, environment),
        certificates=[Certificate(host=each.host, pem=each.pem) for each in added if each.pem],
    )


def generated_host(uow: UnitOfWork, environment: Environment) -> str:
    """Return the host that follows from the names of app and environment."""
    return catalog.host_of(uow, environment, settings_of(uow).apps_domain)


def domains_of(uow: UnitOfWork, environment: Environment) -> list[Domain]:
    """Return the added hosts, oldest first."""
    return store.domains_of(uow, environment.id)


def domains_of_all(uow: UnitOfWork, environments: Collection[str]) -> dict[str, list[str]]:
    """Return the added hosts of many environments, by environment id."""
    return store.hosts_of_all(uow, environments)


def add_domain(
    uow: UnitOfWork,
    environment: Environment,
    text: str,
    *,
    certificate: str | None = None,
    private_key: str | None = None,
) -> Domain:
    """Let a host lead here: first come, first served. Again: with another certificate."""
    settings = settings_of(uow)
    host = host_from(text, platform=settings.domain, apps=settings.apps_domain)
    holder = store.holder_of(uow, host)
    check_free(host, holder=holder, environment=environment.id)
    if holder is None and len(store.domains_of(uow, environment.id)) >= DOMAINS_EACH:
        raise TooManyDomains(f"An environment has at most {DOMAINS_EACH} domains; remove one.")
    domain = Domain(host, environment.id, clock.now(), uow.actor or "perron")
    domain = _with_certificate(domain, certificate, private_key)
    store.put_domain(uow, domain)
    added = DomainAdded(host, given_certificate=domain.pem is not None)
    spine.record(uow, added, subject=environment.id, of=environment.place)
    return domain


def remove_domain(uow: UnitOfWork, environment: Environment, text: str) -> None:
    """Let a host lead here no more; anybody may have it then."""
    host = text.strip().rstrip(".").lower()
    if not store.remove_domain(uow, environment.id, host):
        raise DomainNotFound(
            f"{text!r} was not added here; perron domains list shows those that were.", host=text
        )
    removed = DomainRemoved(host)
    spine.record(uow, removed, subject=environment.id, of=environment.place)


def entrance_of(uow: UnitOfWork, environment: Environment) -> Entrance:
    """Return how visitors are let in."""
    return store.entrance_of(uow, environment.id)


def set_maintenance(uow: UnitOfWork, environment: Environment, *, on: bool) -> Entrance:
    """Show visitors the maintenance page, or let them in again."""
    before = entrance_of(uow, environment)
    after = replace(before, maintenance=on)
    if after != before:
        store.put_entrance(uow, environment.id, after)
        changed = MaintenanceChanged(on)
        spine.record(uow, changed, subject=environment.id, of=environment.place)
    return after


def protect(
    uow: UnitOfWork, environment: Environment, *, user: str | None, password: str | None
) -> Entrance:
    """Ask visitors for a name and a password; without them, let everybody in."""
    before = entrance_of(uow, environment)
    after = protected(before, user, password, salt=secrets.token_hex(16))
    if after != before:
        store.put_entrance(uow, environment.id, after)
        changed = ProtectionChanged(on=after.user is not None)
        spine.record(uow, changed, subject=environment.id, of=environment.place)
    return after


def limit(
    uow: UnitOfWork,
    environment: Environment,
    *,
    max_body: int | None = None,
    idle_timeout: float | None = None,
    log_queries: bool | None = None,
) -> Entrance:
    """Change what the edge accepts and logs; None leaves a limit as it is."""
    before = entrance_of(uow, environment)
    after = replace(
        before,
        max_body=before.max_body if max_body is None else max_body,
        idle_timeout=before.idle_timeout if idle_timeout is None else idle_timeout,
        log_queries=before.log_queries if log_queries is None else log_queries,
    )
    check_limits(after)
    if after != before:
        store.put_entrance(uow, environment.id, after)
        changed = LimitsChanged(**after.limits, before=before.limits, after=after.limits)
        spine.record(uow, changed, subject=environment.id, of=environment.place)
    return after


def forget(uow: UnitOfWork, environment: str) -> None:
    """Forget everything of an environment that is gone; its hosts are free again."""
    store.forget(uow, environment)


def _with_certificate(domain: Domain, certificate: str | None, private_key: str | None) -> Domain:
    if certificate is None and private_key is None:
        return domain
    if not certificate or not private_key:
        raise CertificateRefused("A certificate needs its private key, and a key its certificate.")
    expires = check_certificate(domain.host, certificate, private_key, clock.now())
    pem = f"{certificate.strip()}\n{private_key.strip()}\n"
    return replace(domain, expires=expires, pem=pem)
