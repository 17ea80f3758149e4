"""What the first ``perron up`` writes down, so that every later one finds the same."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from perron.kit import holders, settings
from perron.kit.files import private_folder
from perron.kit.problems import Problem
from perron.kit.settings import Home, Settings

from . import claims

LONGEST_SOCKET = 107  # bytes in sockaddr_un, less the closing zero

FETCH = (
    "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS",
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "NPM_CONFIG_REGISTRY",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")


class SetupRefused(Problem):
    """A platform cannot live here like this."""


def prepare(home: Home, environment: Mapping[str, str] = os.environ) -> tuple[Settings, list[str]]:
    """Return the home's settings, made if there are none, and what to tell about them."""
    check_sockets(home)
    for folder in (home.path, home.run, home.logs, home.node, home.keys, home.sources):
        private_folder(folder)
    if home.settings.exists():
        kept = settings.load(home, environment)
        told = claims.renew(home, kept.slot)
        return kept, [told] if told else []
    first = replace(settings.Settings(), slot=claims.claim(home), fetch=_fetch(environment))
    if os.getuid() == 0:
        first = replace(first, http_port=80, https_port=443)
    settings.save(home, first)
    chosen, said = _free_ports(settings.load(home, environment), environment)
    settings.save(home, chosen)
    return chosen, said


def check_sockets(home: Home) -> None:
    """Raise SetupRefused where the path of a socket would be too long."""
    longest = max(len(os.fsencode(path)) for path in (home.api_socket, home.agent_socket))
    if longest > LONGEST_SOCKET:
        raise SetupRefused(
            f"The path of the sockets in {home.run} is {longest} bytes long and the system allows "
            f"{LONGEST_SOCKET}. Choose a shorter PERRON_HOME."
        )


def check_ports(chosen: Settings) -> None:
    """Raise SetupRefused if a port of the edge is taken, naming who holds it."""
    for name, port in (("http_port", chosen.http_port), ("https_port", chosen.https_port)):
        if holder := holders.of_port(port):
            raise SetupRefused(
                f"Port {port} is taken by {holder}. Stop that, or choose another port: "
                f"perron platform set {name}={_next_free(port + 8000)}"
            )


def _free_ports(chosen: Settings, environment: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Step aside from taken ports, unless they were asked for by name."""
    said = []
    for name, instead in (("http_port", 8080), ("https_port", 8443)):
        port = getattr(chosen, name)
        holder = holders.of_port(port)
        if holder and f"PERRON_{name.upper()}" not in environment:
            free: dict[str, Any] = {name: _next_free(instead)}
            said.append(f"Port {port} is taken by {holder}; the edge uses {free[name]} instead.")
            chosen = replace(chosen, **free)
    return chosen, said


def _next_free(port: int) -> int:
    return next(each for each in range(port, port + 500) if not holders.of_port(each))


def _fetch(environment: Mapping[str, str]) -> dict[str, str]:
    """Take over how this machine reaches package indexes; builds shall reach them too."""
    found = {name: environment[name] for name in FETCH if environment.get(name)}
    if authority := next((environment[name] for name in AUTHORITIES if environment.get(name)), ""):
        found["SSL_CERT_FILE"] = authority
    if registry := _npm_registry():
        found.setdefault("NPM_CONFIG_REGISTRY", registry)
    return found


def _npm_registry() -> str:
    npm = shutil.which("npm")
    if not npm:
        return ""
    asked = subprocess.run(  # noqa: S603 - a fixed command
        [npm, "config", "get", "registry"], capture_output=True, text=True, check=False
    )
    registry = asked.stdout.strip()
    return registry if registry.startswith("http") else ""
