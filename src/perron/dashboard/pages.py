"""Every page and act there is, by its address."""

from . import apps, instances, logs, overview, releases, signing
from .asking import Act, Page

ALL: tuple[Page | Act, ...] = (
    *signing.ALL,
    *apps.ALL,
    *overview.ALL,
    *releases.ALL,
    *instances.ALL,
    *logs.ALL,
)
