"""The platform API, spoken from Python. The CLI and the dashboard use nothing else.

Nothing here needs more than the standard library, so that a command starts at once; shapes are
plain dictionaries with the API's own field names.
"""

from .addresses import Address, AddressRefused
from .client import Client, Place
from .contexts import ContextRefused, Login, find_login
from .faults import Fault, Refused, Unreachable
from .following import Event
from .transport import Answer

__all__ = [
    "Address",
    "AddressRefused",
    "Answer",
    "Client",
    "ContextRefused",
    "Event",
    "Fault",
    "Login",
    "Place",
    "Refused",
    "Unreachable",
    "find_login",
]
