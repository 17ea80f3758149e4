"""Config: what an environment's instances are told, plain and secret.

Every value is sealed where it is kept. A release runs with a snapshot, so that going back
finds what it was told, while secrets rotated since stay as they are.
"""

from .model import (
    MASK,
    ConfigChanged,
    ConfigNotFound,
    ConfigRefused,
    Difference,
    Kept,
    Value,
    difference,
)
from .routes import view
from .service import (
    build_digest,
    build_values,
    change,
    compare,
    digest,
    digest_of,
    drop_snapshots,
    entries,
    forget,
    go_back,
    preview_back,
    snapshot_of,
    take_snapshot,
    values,
    values_of,
)

__all__ = [
    "MASK",
    "ConfigChanged",
    "ConfigNotFound",
    "ConfigRefused",
    "Difference",
    "Kept",
    "Value",
    "build_digest",
    "build_values",
    "change",
    "compare",
    "difference",
    "digest",
    "digest_of",
    "drop_snapshots",
    "entries",
    "forget",
    "go_back",
    "preview_back",
    "snapshot_of",
    "take_snapshot",
    "values",
    "values_of",
    "view",
]
