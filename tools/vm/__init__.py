"""A second machine: Debian 12's own kernel with systemd and control groups version 2, emulated."""

from .image import image
from .kept import NotAssessed
from .machine import Machine
from .payload import payload

__all__ = ["Machine", "NotAssessed", "image", "payload"]
