"""Finds the installed detectors, in the order in which they are asked."""

from functools import cache

from perron.kit import plugins

from .ports import Detector

GROUP = "perron.detectors"


@cache
def detectors() -> tuple[Detector, ...]:
    """Return every installed detector, the first to ask first."""
    made: list[Detector] = [kind() for kind in plugins.load(GROUP).values()]
    return tuple(sorted(made, key=lambda each: (each.order, each.name)))
