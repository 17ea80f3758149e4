"""The addresses of an agent, and the version of what is said there."""

from perron.contract.health import NODE as NODE

VERSION = 2

WISHES = "/v1/wishes"
REPORT = "/v1/report"
PARKED = "/v1/parked/{environment}"
SOURCE = "/v1/sources/{digest}"
BUILDS = "/v1/builds"
BUILD = "/v1/builds/{digest}"
JOB = "/v1/jobs/{job}"
LOGS = "/v1/logs"
ROUTER = "/v1/router/{environment}"
TRAFFIC = "/v1/traffic"
VOLUME = "/v1/volumes/{environment}/{volume}"
VOLUMES = "/v1/volumes/{environment}"
VOLUME_FILES = VOLUME + "/files"
VOLUME_SNAPSHOTS = VOLUME + "/snapshots"
VOLUME_RESTORE = VOLUME_SNAPSHOTS + "/{snapshot}/restore"
EXEC = "/v1/instances/{instance}/exec"
ATTACH = "/v1/jobs/{job}/attach"
