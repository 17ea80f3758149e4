"""Measure what was asked for, print a table, and keep it as JSON in ``build/bench.json``."""

import json
import signal
import sys
from pathlib import Path

from . import apps, edge, page, redeploy, scale, small, upgrade
from .figure import Figure

FIGURES = {
    "lost": redeploy.lost,
    "redeploy": redeploy.one_line,
    "dependency": redeploy.one_dependency,
    "first": redeploy.first,
    "help": small.command_help,
    "up": small.up_warm,
    "edge": edge.throughput,
    "idle": scale.idle,
    "revival": scale.revival,
    "apps": apps.listing,
    "page": page.start,
    "upgrade": upgrade.under_load,
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(FIGURES)
    if unknown:
        print(f"No figure {', '.join(sorted(unknown))}; there are: {', '.join(FIGURES)}")
        return 2
    found: list[Figure] = []
    print("| figure | wanted | here |\n|---|---|---|", flush=True)
    for name in names or FIGURES:
        print(f"… {name}", file=sys.stderr, flush=True)
        for each in FIGURES[name]():
            print(f"| {each.name} | {each.wanted} | {each.here} |", flush=True)
            found.append(each)
    Path("build").mkdir(exist_ok=True)
    Path("build/bench.json").write_text(json.dumps([vars(each) for each in found], indent=2))
    return 0


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended then too
sys.exit(main(sys.argv[1:]))
