"""Every page and act there is, by its address."""

from . import (
    activity,
    apps,
    arriving,
    audit,
    config,
    domains,
    finding,
    instances,
    logs,
    overview,
    platform,
    releases,
    settings,
    signing,
    teams,
    volumes,
    you,
)
from .asking import Act, Page

ALL: tuple[Page | Act, ...] = (
    *signing.ALL,
    *arriving.ALL,
    *apps.ALL,
    *finding.ALL,
    *overview.ALL,
    *releases.ALL,
    *instances.ALL,
    *logs.ALL,
    *config.ALL,
    *domains.ALL,
    *volumes.ALL,
    *activity.ALL,
    *settings.ALL,
    *teams.ALL,
    *you.ALL,
    *audit.ALL,
    *platform.ALL,
)
