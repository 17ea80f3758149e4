"""What the server tells an agent, and what the agent answers.

Spoken over the agent's unix socket. Every message carries its version, as the header ``HEADER``
and in the larger shapes as ``version``; without one it is the first. The two understand each
other one version apart, and refuse whoever is further away by name; ``GET NODE`` alone answers
everybody. All times are RFC 3339 in UTC; durations are in seconds; sizes are in bytes.

What changes from one version to the next are fields with a default that leaves what was before,
addresses that answer 404 to be tried without, and values that nobody is told who speaks less.
Whoever hears a field it does not know does without it, logs it once and names it: an agent in
``NodeView.not_understood``.

- 1: Perron 0.1.0. It says no version of a message without a shape.
- 2: the header; ``JobKind.CRON``, ``JobSpec.url``, turns of jobs; partial reports, ``let_in`` and
  ``lost``; names of promises for machines; ``BUILDS``, ``TRAFFIC``, ``VOLUME_RESTORE``;
  ``not_understood``.

What the addresses take beside the shapes below:

- ``PUT WISHES`` a WishDocument; an older generation is refused with 409 and the fact ``heard``.
- ``GET REPORT?after=&wait=&changes=`` a Report, as soon as its sequence is not ``after``; with
  ``changes``, it may be partial.
- ``DELETE PARKED`` lets a parked environment go; ``PUT SOURCE`` takes the archive's bytes.
- ``GET JOB?wait=`` a JobReport, as soon as it changed; ``DELETE JOB`` cancels.
- ``GET LOGS?environment=&source=&process=&instance=&release=&job=&since=&until=&text=&after=
  &limit=&wait=`` a LogPage; ``GET ROUTER?since=&until=&release=`` a RouterCount;
  ``GET TRAFFIC`` a Traffic.
- ``GET VOLUMES`` a list of VolumeView; ``PUT VOLUME?size=`` makes one; ``DELETE VOLUME``
  destroys it; ``GET VOLUME_FILES`` and ``PUT VOLUME_FILES`` a tar archive of its files, out and
  in; ``POST VOLUME_SNAPSHOTS`` keeps one, and answers the VolumeView; ``POST VOLUME_RESTORE``
  keeps one of the files as they are, then puts those of the snapshot in their place: 409 while
  anything has the volume mounted.
- ``EXEC?arg=&arg=&terminal=&rows=&columns=`` and ``ATTACH?rows=&columns=`` are WebSockets that
  speak as ``contract/sessions.py`` says.
"""

from .addresses import (
    ATTACH,
    BUILD,
    BUILDS,
    EXEC,
    JOB,
    LOGS,
    NODE,
    PARKED,
    REPORT,
    ROUTER,
    SOURCE,
    TRAFFIC,
    VERSION,
    VOLUME,
    VOLUME_FILES,
    VOLUME_RESTORE,
    VOLUME_SNAPSHOTS,
    VOLUMES,
    WISHES,
)
from .jobs import BuildPlan, BuildStep, Fetch, JobKind, JobReport, JobSpec, JobState, Layer
from .lines import LogLine, LogPage
from .reports import (
    EnvironmentReport,
    Exit,
    InstanceReport,
    InstanceState,
    Interpreter,
    NodeView,
    Promise,
    Report,
    RouterCount,
    Traffic,
    VolumeView,
)
from .versions import (
    FIRST,
    HEADER,
    is_understood,
    unknown_fields,
    version_told,
    why_not,
)
from .wishes import (
    Certificate,
    EnvironmentWish,
    HealthCheck,
    Limits,
    ProcessSet,
    VolumeMount,
    WishDocument,
)

__all__ = [
    "ATTACH",
    "BUILD",
    "BUILDS",
    "EXEC",
    "FIRST",
    "HEADER",
    "JOB",
    "LOGS",
    "NODE",
    "PARKED",
    "REPORT",
    "ROUTER",
    "SOURCE",
    "TRAFFIC",
    "VERSION",
    "VOLUME",
    "VOLUMES",
    "VOLUME_FILES",
    "VOLUME_RESTORE",
    "VOLUME_SNAPSHOTS",
    "WISHES",
    "BuildPlan",
    "BuildStep",
    "Certificate",
    "EnvironmentReport",
    "EnvironmentWish",
    "Exit",
    "Fetch",
    "HealthCheck",
    "InstanceReport",
    "InstanceState",
    "Interpreter",
    "JobKind",
    "JobReport",
    "JobSpec",
    "JobState",
    "Layer",
    "Limits",
    "LogLine",
    "LogPage",
    "NodeView",
    "ProcessSet",
    "Promise",
    "Report",
    "RouterCount",
    "Traffic",
    "VolumeMount",
    "VolumeView",
    "WishDocument",
    "is_understood",
    "unknown_fields",
    "version_told",
    "why_not",
]
