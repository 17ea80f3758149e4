"""Which platform a command speaks to, and as whom."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .faults import Fault

LOCAL = "local"
VERSION = 1


class ContextRefused(Fault):
    """There is no such context, or none at all."""


@dataclass(frozen=True)
class Login:
    """A platform's URL, a token for it, and where both were found."""

    name: str
    url: str
    token: str
    authorities: str = ""
    source: str = ""


def find_login(environment: Mapping[str, str]) -> Login:
    """Return the login that counts.

    ``PERRON_URL`` with ``PERRON_TOKEN`` wins; then the platform of a ``PERRON_HOME`` that was
    named; then the context chosen last; then the platform of the default home.
    """
    authorities = environment.get("PERRON_CA", "")
    if url := environment.get("PERRON_URL", ""):
        token = environment.get("PERRON_TOKEN") or _token_for(environment, url)
        return Login("PERRON_URL", url, token, authorities, "the environment")
    named = environment.get("PERRON_CONTEXT", "")
    if not named and "PERRON_HOME" in environment and (login := local_login(environment)):
        return login
    if login := _chosen(environment, named, authorities) or local_login(environment):
        return login
    raise ContextRefused("Not signed in to any platform.")


def local_login(environment: Mapping[str, str]) -> Login | None:
    """Return the login that ``perron up`` left in the platform's home on this machine."""
    path = home(environment) / "cli.json"
    try:
        found = json.loads(path.read_text())
        return Login(LOCAL, found["url"], found["token"], "", str(path))
    except FileNotFoundError:
        return None
    except PermissionError:
        return None
    except (ValueError, KeyError) as why:
        raise ContextRefused(f"{path} cannot be read ({why}). Next: perron up") from why


def home(environment: Mapping[str, str]) -> Path:
    """Return the home of this machine's platform."""
    given = environment.get("PERRON_HOME")
    return Path(given).expanduser().absolute() if given else Path.home() / ".perron"


def read(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the book of contexts: ``current``, and ``contexts`` by name."""
    path = folder(environment) / "contexts.json"
    try:
        book: dict[str, Any] = json.loads(path.read_text())
        book["contexts"].items()
    except FileNotFoundError:
        return {"version": VERSION, "current": None, "contexts": {}}
    except (ValueError, KeyError, AttributeError, TypeError) as why:
        raise ContextRefused(
            f"{path} cannot be read ({why}); mend it, or remove it and sign in again."
        ) from why
    return book


def keep(
    environment: Mapping[str, str],
    name: str,
    url: str,
    token: str,
    ca: str = "",
    *,
    made: str = "",
) -> None:
    """Keep a login under a name, and choose it; ``made`` is the id of a token made for it."""
    book = read(environment)
    book["contexts"][name] = {"url": url, "token": token, "ca": ca, "made": made}
    book["current"] = name
    write_private(folder(environment) / "contexts.json", json.dumps(book, indent=2) + "\n")


def choose(environment: Mapping[str, str], name: str) -> None:
    """Make a context the one that counts; ``local`` is this machine's own platform."""
    book = read(environment)
    if name != LOCAL and name not in book["contexts"]:
        known = ", ".join(sorted([*book["contexts"], LOCAL]))
        raise ContextRefused(f"No context {name}; there are: {known}.")
    book["current"] = None if name == LOCAL else name
    write_private(folder(environment) / "contexts.json", json.dumps(book, indent=2) + "\n")


def drop(environment: Mapping[str, str], name: str) -> None:
    """Forget a login."""
    book = read(environment)
    if book["contexts"].pop(name, None) is None:
        raise ContextRefused(f"No context {name} to sign out of.")
    book["current"] = None if book["current"] == name else book["current"]
    write_private(folder(environment) / "contexts.json", json.dumps(book, indent=2) + "\n")


def folder(environment: Mapping[str, str]) -> Path:
    """Return the folder for what the command line keeps about its user."""
    given = environment.get("XDG_CONFIG_HOME")
    return (Path(given) if given else Path.home() / ".config") / "perron"


def write_private(path: Path, content: str) -> None:
    """Put a file in place whole, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    temporary.replace(path)


def _chosen(environment: Mapping[str, str], named: str, authorities: str) -> Login | None:
    if named == LOCAL:
        return local_login(environment)
    book = read(environment)
    name = named or book.get("current")
    if not name:
        return None
    kept = book["contexts"].get(name)
    if kept is None:
        raise ContextRefused(f"No context {name}. Next: perron contexts")
    ca = authorities or kept.get("ca", "")
    return Login(name, kept["url"], kept["token"], ca, "contexts.json")


def _token_for(environment: Mapping[str, str], url: str) -> str:
    for kept in read(environment)["contexts"].values():
        if kept["url"].rstrip("/") == url.rstrip("/"):
            return str(kept["token"])
    local = local_login(environment)
    return local.token if local and local.url == url else ""
