"""The addresses of an agent, and the version of what is said there."""

VERSION = 1

WISHES = "/v1/wishes"
REPORT = "/v1/report"
PARKED = "/v1/parked/{environment}"
NODE = "/v1/node"
SOURCE = "/v1/sources/{digest}"
BUILD = "/v1/builds/{digest}"
JOB = "/v1/jobs/{job}"
LOGS = "/v1/logs"
ROUTER = "/v1/router/{environment}"
VOLUME = "/v1/volumes/{environment}/{volume}"
VOLUMES = "/v1/volumes/{environment}"
VOLUME_FILES = VOLUME + "/files"
VOLUME_SNAPSHOTS = VOLUME + "/snapshots"
EXEC = "/v1/instances/{instance}/exec"
ATTACH = "/v1/jobs/{job}/attach"
