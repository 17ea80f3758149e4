"""Volumes: folders of an environment that outlive its instances.

Made when first mounted or asked for, measured now and then, snapshotted, and destroyed by name
only. Their files belong to the environment's uid.
"""

from .model import VolumeMounted, VolumeNotFound
from .service import Volumes

__all__ = ["VolumeMounted", "VolumeNotFound", "Volumes"]
