"""What can be done with configuration."""

from collections.abc import Mapping, Sequence

from perron.catalog import Environment
from perron.kit import spine
from perron.kit.db import UnitOfWork
from perron.kit.whereabouts import sealer_of

from . import store
from .model import (
    ConfigChanged,
    ConfigNotFound,
    ConfigRead,
    ConfigRefused,
    ConfigRevealed,
    Difference,
    Kept,
    Value,
    canonical,
    check_name,
    check_text,
    check_total,
    difference,
    gone_back,
)


def change(
    uow: UnitOfWork,
    environment: Environment,
    *,
    set: Mapping[str, Value],
    unset: Sequence[str] = (),
) -> bool:
    """Set and unset these keys together; say whether anything is different now."""
    before = values_of(uow, environment)
    _check(before, set, unset)
    put = {name: value for name, value in set.items() if before.get(name) != value}
    for name, value in put.items():
        store.put(uow, environment.id, name, value)
    for name in unset:
        store.remove(uow, environment.id, name)
    if not put and not unset:
        return False
    changed = ConfigChanged(sorted(put), sorted(unset))
    spine.record(uow, changed, subject=environment.id, of=environment.place)
    return True


def entries(uow: UnitOfWork, environment: Environment) -> list[Kept]:
    """Return every key with its value and who changed it last."""
    return store.kept(uow, environment.id)


def values(uow: UnitOfWork, environment: Environment) -> dict[str, str]:
    """Return what the environment's instances are told."""
    return {name: value.text for name, value in values_of(uow, environment).items()}


def values_of(uow: UnitOfWork, environment: Environment) -> dict[str, Value]:
    """Return every key with what is known of its value."""
    return {each.name: each.value for each in store.kept(uow, environment.id)}


def digest(uow: UnitOfWork, environment: Environment) -> str:
    """Name exactly these values, without revealing any."""
    return digest_of(uow, values_of(uow, environment))


def digest_of(uow: UnitOfWork, values: Mapping[str, Value]) -> str:
    """Name exactly these values, without revealing any."""
    return sealer_of(uow).name(_with_kinds(values))


def build_values(uow: UnitOfWork, snapshot: str) -> dict[str, str]:
    """Return what builds may see of a configuration kept before."""
    found = snapshot_of(uow, snapshot)
    return {name: value.text for name, value in found.items() if value.build}


def build_digest(uow: UnitOfWork, snapshot: str) -> str:
    """Name what builds see: equal for two environments that tell their builds the same."""
    found = snapshot_of(uow, snapshot)
    told = {name: value for name, value in found.items() if value.build}
    return sealer_of(uow).name(canonical(told)) if told else ""


def reveal(uow: UnitOfWork, environment: Environment, name: str) -> str:
    """Return a value in the clear, and write down that it was shown."""
    found = values_of(uow, environment).get(name)
    if found is None:
        raise ConfigNotFound(f"There is no {name!r} here; perron config lists the keys.")
    revealed = ConfigRevealed(name)
    spine.record(uow, revealed, subject=environment.id, of=environment.place)
    return found.text


def note_read(uow: UnitOfWork, environment: Environment) -> None:
    """Write down, once an hour, that this reader looked at the configuration."""
    read = ConfigRead("config")
    spine.record_read(uow, read, subject=environment.id, of=environment.place)


def take_snapshot(uow: UnitOfWork, environment: Environment, id: str) -> dict[str, Value]:
    """Keep the configuration of now under ``id``, for a release to run with."""
    now = values_of(uow, environment)
    store.keep_snapshot(uow, id, environment.id, now)
    return now


def go_back(uow: UnitOfWork, environment: Environment, snapshot: str) -> None:
    """Make the plain values what they were in ``snapshot``; secrets stay as they are now."""
    now = values_of(uow, environment)
    then = gone_back(snapshot_of(uow, snapshot), now)
    put = {name: value for name, value in then.items() if now.get(name) != value}
    unset = [name for name in now if name not in then]
    change(uow, environment, set=put, unset=unset)


def preview_back(uow: UnitOfWork, environment: Environment, snapshot: str) -> dict[str, Value]:
    """Return what the configuration would be after going back to ``snapshot``."""
    return gone_back(snapshot_of(uow, snapshot), values_of(uow, environment))


def snapshot_of(uow: UnitOfWork, id: str) -> dict[str, Value]:
    """Return a configuration kept before, or raise ConfigNotFound."""
    found = store.snapshot(uow, id)
    if found is None:
        raise ConfigNotFound(
            "The configuration of that release is kept no longer; take a newer release "
            "(perron releases), or deploy its source again."
        )
    return found


def compare(uow: UnitOfWork, before: str, after: str) -> Difference:
    """Say which keys differ between two configurations kept before."""
    return difference(snapshot_of(uow, before), snapshot_of(uow, after))


def drop_snapshots(uow: UnitOfWork, ids: Sequence[str]) -> None:
    """Forget configurations that no rollback needs any more."""
    store.drop_snapshots(uow, list(ids))


def forget(uow: UnitOfWork, environment: str) -> None:
    """Forget everything the environment was ever told."""
    store.forget(uow, environment)


def _check(before: Mapping[str, Value], set: Mapping[str, Value], unset: Sequence[str]) -> None:
    for name, value in set.items():
        check_name(name)
        check_text(name, value.text)
    if both := sorted(set.keys() & {*unset}):
        raise ConfigRefused(f"{both[0]} is both set and unset; say which.", key=both[0])
    if missing := [name for name in unset if name not in before]:
        raise ConfigNotFound(f"There is no {missing[0]!r} here to unset.", key=missing[0])
    check_total({name: v for name, v in before.items() if name not in unset} | {**set})


def _with_kinds(values: Mapping[str, Value]) -> str:
    return repr(sorted((name, v.text, v.secret, v.build) for name, v in values.items()))
