"""Releases: put a source or build of an app live, and take it back.

A release is a numbered record of one build and one configuration, asked for and put live in
one environment. Deploying makes a new one; so do rolling back and changing the configuration.
How many instances run (scale) is no part of it.
"""

from .model.events import (
    AppDestroyed,
    EnvironmentDestroyed,
    ReleaseAsked,
    ReleaseFailed,
    ReleaseLive,
    RolledBack,
)
from .model.release import DeployRefused, Release, ReleaseNotFound
from .service.applying import is_seen_at_edge
from .service.asking import cancel, change_config, deploy, deploy_release, roll_back
from .service.ending import destroy_app, destroy_environment
from .service.reading import get_release, list_releases, live_release, scale_of, url_at
from .service.sessions import runnable, scheduled_job
from .service.standing import restart, scale, start, stop
from .service.summary import Summary, summaries
from .service.wishes import refresh

__all__ = [
    "AppDestroyed",
    "DeployRefused",
    "EnvironmentDestroyed",
    "Release",
    "ReleaseAsked",
    "ReleaseFailed",
    "ReleaseLive",
    "ReleaseNotFound",
    "RolledBack",
    "Summary",
    "cancel",
    "change_config",
    "deploy",
    "deploy_release",
    "destroy_app",
    "destroy_environment",
    "get_release",
    "is_seen_at_edge",
    "list_releases",
    "live_release",
    "refresh",
    "restart",
    "roll_back",
    "runnable",
    "scale",
    "scale_of",
    "scheduled_job",
    "start",
    "stop",
    "summaries",
    "url_at",
]
