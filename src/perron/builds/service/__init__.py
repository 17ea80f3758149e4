"""What can be done with sources and builds."""

from .detecting import detect, manifest_of
from .planning import (
    detect_source,
    find_build,
    forget_app,
    forget_build,
    get_build,
    known_builds,
    list_builds,
    note_asked,
    note_built,
    note_failed,
    note_reused,
    note_started,
    plan_build,
)
from .sources import (
    abandon_source,
    disk_of,
    get_source,
    keep_source,
    note_source,
    prune_sources,
)
from .upload import Upload, drop_broken, source_path

__all__ = [
    "Upload",
    "abandon_source",
    "detect",
    "detect_source",
    "disk_of",
    "drop_broken",
    "find_build",
    "forget_app",
    "forget_build",
    "get_build",
    "get_source",
    "keep_source",
    "known_builds",
    "list_builds",
    "manifest_of",
    "note_asked",
    "note_built",
    "note_failed",
    "note_reused",
    "note_source",
    "note_started",
    "plan_build",
    "prune_sources",
    "source_path",
]
