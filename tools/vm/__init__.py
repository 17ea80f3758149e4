"""A second machine: Debian 12's own kernel with systemd and control groups version 2, emulated."""

from .image import NotAssessed, image, payload
from .machine import Machine

__all__ = ["Machine", "NotAssessed", "image", "payload"]
