"""The shapes of an environment's volumes."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

VOLUMES = "/v1/apps/{app}/environments/{environment}/volumes"
VOLUME = VOLUMES + "/{volume}"
FILES = VOLUME + "/files"
SNAPSHOTS = VOLUME + "/snapshots"
RESTORE = SNAPSHOTS + "/{snapshot}/restore"


class VolumeRequest(BaseModel):
    """A folder that outlives releases; ``size`` in bytes."""

    model_config = ConfigDict(extra="forbid")

    name: str
    mount: str
    size: int


class VolumeView(BaseModel):
    """A volume; ``used`` is None when nobody has measured, ``quota`` enforced or watched."""

    name: str
    mount: str
    size: int
    created: datetime
    used: int | None
    quota: str
    snapshots: list[str]
