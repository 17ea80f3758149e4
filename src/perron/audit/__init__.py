"""Audit: who did what, when and from where, chained and signed so that nobody can change it.

A reader of the spine: it writes nothing that could not be made anew from the first event.
"""

from .model import ChainRestarted, Fault, Head, Verdict
from .service import note_restored, rebuild, verify

__all__ = [
    "ChainRestarted",
    "Fault",
    "Head",
    "Verdict",
    "note_restored",
    "rebuild",
    "verify",
]
