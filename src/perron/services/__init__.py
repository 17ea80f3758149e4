"""Services: what apps lean on; volumes, the folders of an environment that outlive releases."""

from .model import (
    ConfirmationMissing,
    Volume,
    VolumeInUse,
    VolumeNotFound,
    VolumeRefused,
)
from .service import create, destroy, disk_of, ensure, forget, get, mounts, volumes

__all__ = [
    "ConfirmationMissing",
    "Volume",
    "VolumeInUse",
    "VolumeNotFound",
    "VolumeRefused",
    "create",
    "destroy",
    "disk_of",
    "ensure",
    "forget",
    "get",
    "mounts",
    "volumes",
]
