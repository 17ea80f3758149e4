"""Builds: sources, how they are recognised, and the immutable artefacts made from them.

A source is an archive named by its content. A detector reads it and says how to build and run
it; ``perron.toml`` and ``Procfile`` have the last word. A build is named by everything that
went into it, so that the same source with the same build configuration is never made twice.
"""

from .model.build import Build, BuildNotFound, Planned
from .model.detected import Detected, NotRecognised
from .model.manifest import CronSpec, Manifest, ManifestRefused, ProcessSpec, VolumeSpec
from .model.source import Source, SourceNotFound, SourceRefused
from .service.detecting import detect, manifest_of
from .service.planning import (
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
from .service.sources import disk_of, get_source, keep_source, note_source, prune_sources
from .service.upload import drop_broken, source_path

__all__ = [
    "Build",
    "BuildNotFound",
    "CronSpec",
    "Detected",
    "Manifest",
    "ManifestRefused",
    "NotRecognised",
    "Planned",
    "ProcessSpec",
    "Source",
    "SourceNotFound",
    "SourceRefused",
    "VolumeSpec",
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
