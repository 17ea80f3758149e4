"""Edge: which hosts lead to an environment, and how visitors are let in.

The proxy itself is the agent's; this room says what it shall do. Every change is an event, and
the wish of the environment is put together anew from ``routing_of``.
"""

from .model import Domain, DomainNotFound, DomainRefused, DomainTaken, Entrance, Routing
from .service import (
    add_domain,
    domains_of,
    domains_of_all,
    entrance_of,
    forget,
    limit,
    protect,
    remove_domain,
    routing_of,
    set_maintenance,
)

__all__ = [
    "Domain",
    "DomainNotFound",
    "DomainRefused",
    "DomainTaken",
    "Entrance",
    "Routing",
    "add_domain",
    "domains_of",
    "domains_of_all",
    "entrance_of",
    "forget",
    "limit",
    "protect",
    "remove_domain",
    "routing_of",
    "set_maintenance",
]
