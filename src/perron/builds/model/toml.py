"""Reads perron.toml: every key is known, every value checked, every error names the place."""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from posixpath import normpath
from re import fullmatch
from typing import Any

from perron.kit import cron

from .fields import APP, CRON, GROUPS, HEALTH, PROCESS, TABLES, VOLUME, Field, WrongValue, checked
from .manifest import AppFile, BuildWishes, CronSpec, ManifestRefused, VolumeSpec

NAME = "perron.toml"
SCHEDULES = 100
_TOP = ("app", *TABLES, *GROUPS)
_FORBIDDEN_MOUNTS = ("/app", "/tmp", "/proc", "/dev", "/sys", "/usr", "/etc", "/bin", "/lib")  # noqa: S108


def parse(text: str) -> AppFile:
    """Return what perron.toml says, or raise ManifestRefused."""
    given = _loaded(text)
    for key in given:
        if key not in _TOP:
            raise _unknown(key, _TOP, "")
    tables = {name: _table(name, given.get(name, {}), keys) for name, keys in TABLES.items()}
    processes = {name: _process(name, spec) for name, spec in _group(given, "process")}
    volumes = {name: _volume(name, spec) for name, spec in _group(given, "volumes")}
    _check_mounts(volumes)
    _check_count(given.get("cron", {}))
    return AppFile(
        app=_value("app", APP, given["app"]) if "app" in given else None,
        release=tables["release"].get("command"),
        build=_build(tables["build"], tables["static"]),
        processes=processes,
        volumes=volumes,
        connect=tuple(tables["network"].get("connect", ())),
        cron={name: _cron(name, spec) for name, spec in _group(given, "cron")},
    )


def inside(path: str, key: str) -> str:
    """Return a folder's path without ornaments; refuse one that leaves the source."""
    clean = normpath(path)
    if path.startswith("/") or clean == ".." or clean.startswith("../"):
        raise ManifestRefused(f"{NAME}: {key} = {path!r} leaves the source; name a folder in it.")
    return clean


def _loaded(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as why:
        raise ManifestRefused(f"{NAME} is not TOML: {why}.") from why


def _build(build: Mapping[str, Any], static: Mapping[str, Any]) -> BuildWishes:
    wishes = dict(build) | dict(static)
    for key in ("root", "publish"):
        if key in wishes:
            wishes[key] = inside(wishes[key], f"[build] {key}")
    return BuildWishes(**wishes)


def _group(given: Mapping[str, Any], name: str) -> Iterable[tuple[str, Any]]:
    group = given.get(name, {})
    _keys, pattern, _about = GROUPS[name]
    if not isinstance(group, dict):
        raise ManifestRefused(f"{NAME}: {name} is a group of tables, such as [{name}.web].")
    for each in group:
        if not fullmatch(pattern, each) or each == "release":
            raise ManifestRefused(
                f"{NAME}: [{name}.{each}] cannot have that name: use a-z, 0-9 and hyphens, "
                "begin with a letter, at most 30; 'release' is no process type."
            )
    return group.items()


def _process(name: str, given: Any) -> dict[str, Any]:
    where = f"process.{name}"
    spec = _table(where, given, PROCESS)
    health = _table(f"{where}.health", spec.pop("health", {}), HEALTH)
    if "path" in health and health.get("kind", "http") != "http":
        raise ManifestRefused(
            f'{NAME}: [{where}] health.path wants health.kind = "http", not {health["kind"]!r}.'
        )
    if "path" in health and name != "web":
        raise ManifestRefused(f"{NAME}: [{where}] health.path is for web; others have no port.")
    return spec | {f"health_{key}": value for key, value in health.items()}


def _volume(name: str, given: Any) -> VolumeSpec:
    spec = _table(f"volumes.{name}", given, VOLUME)
    if "mount" not in spec:
        raise ManifestRefused(f'{NAME}: [volumes.{name}] needs a mount, such as "/data".')
    if ".." in spec["mount"].split("/") or "." in spec["mount"].split("/"):
        raise ManifestRefused(f"{NAME}: [volumes.{name}] mount cannot have . or .. in it.")
    if any(spec["mount"] == at or spec["mount"].startswith(f"{at}/") for at in _FORBIDDEN_MOUNTS):
        raise ManifestRefused(
            f"{NAME}: [volumes.{name}] mount = {spec['mount']!r} belongs to the system; "
            'take another, such as "/data".'
        )
    return VolumeSpec(mount=spec["mount"], size=spec.get("size", 1 << 30))


def _cron(name: str, given: Any) -> CronSpec:
    found = _table(f"cron.{name}", given, CRON)
    for key in ("schedule", "command"):
        if key not in found:
            example = CRON[key].example
            raise ManifestRefused(f'{NAME}: [cron.{name}] needs a {key}, such as "{example}".')
    spec = CronSpec(**found)
    try:
        cron.check(spec.schedule, spec.timezone)
    except cron.ScheduleRefused as why:
        raise ManifestRefused(f"{NAME}: [cron.{name}] {why}") from why
    return spec


def _check_count(schedules: Mapping[str, Any]) -> None:
    if len(schedules) > SCHEDULES:
        raise ManifestRefused(f"{NAME}: at most {SCHEDULES} schedules ([cron.…]) fit in one app.")


def _check_mounts(volumes: Mapping[str, VolumeSpec]) -> None:
    seen: dict[str, str] = {}
    for name, volume in sorted(volumes.items(), key=lambda each: each[1].mount):
        for mount, other in seen.items():
            if volume.mount == mount or volume.mount.startswith(f"{mount}/"):
                raise ManifestRefused(
                    f"{NAME}: [volumes.{name}] and [volumes.{other}] lie in each other at {mount}."
                )
        seen[volume.mount] = name


def _table(where: str, given: Any, keys: Mapping[str, Field]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ManifestRefused(f"{NAME}: {where} is a table; write [{where}] above its keys.")
    for key in given:
        if key not in keys:
            raise _unknown(key, keys, where)
    return {
        key: value if keys[key].kind == "table" else _value(f"[{where}] {key}", keys[key], value)
        for key, value in given.items()
    }


def _value(where: str, field: Field, value: Any) -> Any:
    try:
        return checked(field, value)
    except WrongValue as why:
        raise ManifestRefused(f"{NAME}: {where} {why}.") from why


def _unknown(key: str, known: Iterable[str], where: str) -> ManifestRefused:
    names = list(known)
    near = get_close_matches(key, names, n=1, cutoff=0.5)
    place = f"in [{where}]" if where else "at the top"
    hint = f"did you mean {near[0]!r}?" if near else f"known there: {', '.join(sorted(names))}."
    return ManifestRefused(f"{NAME}: unknown key {key!r} {place}; {hint}")
