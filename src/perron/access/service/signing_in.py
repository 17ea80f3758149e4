"""Signing in with a password: counted before it is looked at, so that no burst goes uncounted."""

from dataclasses import dataclass
from functools import partial
from math import ceil
from secrets import compare_digest, token_hex

from perron.access import store
from perron.access.model.actors import LoginRefused
from perron.access.model.patience import FORGOTTEN, TooManyTries, buckets_of, counted, wait_of
from perron.access.model.people import Person
from perron.access.model.sessions import SignInRefused
from perron.kit import clock, spine
from perron.kit.db import UnitOfWork
from perron.kit.spine import Place
from perron.kit.whereabouts import sealer_of

from . import codes
from .rights import REFUSED_EVERY


@dataclass(frozen=True)
class Try:
    """A try to sign in: whom as, and where it was counted; ``kept`` is the hash to compare."""

    person: Person | None
    buckets: list[str]

    @property
    def kept(self) -> str | None:
        """The hash of the password; None when there is no such person, or none was set."""
        return self.person.password if self.person else None


def begin_try(uow: UnitOfWork, handle: str, *, device: str | None = None) -> Try:
    """Count a try to sign in, or raise TooManyTries; it takes no password into account."""
    now = clock.now()
    person = store.people.find(uow, handle.strip().lower())
    person = None if person is None or person.erased else person
    address = uow.caller.address if uow.caller else "local"
    known = _known_device(uow, person, device)
    buckets = buckets_of(address, codes.digest(handle.strip().lower())[:16], known)
    before = {bucket: store.tries.under(uow, bucket) for bucket in buckets}
    if wait := max((wait_of(each, now) for each in before.values() if each), default=0.0):
        _note(uow, person, limited=True)
        raise TooManyTries(
            f"Too many tries from there: wait {ceil(wait)} s, then try again. A link from "
            "`perron dashboard`, or of an administrator, works at once.",
            retry_after=ceil(wait),
        )
    store.tries.prune(uow, now - FORGOTTEN)
    for bucket in buckets:
        store.tries.put(uow, counted(before[bucket], bucket, now))
    return Try(person, buckets)


def end_try(uow: UnitOfWork, tried: Try, *, is_right: bool) -> Person:
    """Return who signs in, forgiving what went wrong before; raise LoginRefused otherwise."""
    now = store.people.find(uow, tried.person.id) if tried.person else None
    if not is_right or now is None or now.password != tried.kept:
        _note(uow, tried.person, limited=False)
        raise LoginRefused("Handle and password do not belong together; try again.")
    for bucket in tried.buckets:
        if not bucket.startswith("address:"):
            store.tries.forgive(uow, bucket)
    return now


def proof_of_device(uow: UnitOfWork, person: Person) -> str:
    """Return what a browser keeps to show later that this person signed in with it."""
    nonce = token_hex(16)
    return f"{nonce}.{_proof(uow, person, nonce)}"


def _known_device(uow: UnitOfWork, person: Person | None, device: str | None) -> str | None:
    nonce, _, proof = (device or "").partition(".")
    if person is None or not proof.isascii():
        return None
    return nonce if proof and compare_digest(proof, _proof(uow, person, nonce)) else None


def _proof(uow: UnitOfWork, person: Person, nonce: str) -> str:
    """Bind a browser to a person and their password; another password ends it."""
    return sealer_of(uow).name(f"device {person.id} {person.password} {nonce}")


def _note(uow: UnitOfWork, person: Person | None, *, limited: bool) -> None:
    refused, subject = SignInRefused(limited), person.id if person else "platform"
    write = partial(spine.record_once, what=refused, subject=subject, of=Place())
    uow.afterwards.append(partial(write, every=REFUSED_EVERY))
