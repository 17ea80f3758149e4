"""How a build reaches package indexes: its environment, ports and certificates."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from perron.agent.sandbox import Mount
from perron.contract.node import Fetch

PORTS = frozenset({53, 80, 443})
CERTIFICATES = "/run/certificates.pem"
_SCHEMES = {"http": 80, "https": 443, "ssh": 22, "git": 9418}
_FOUND_THERE = ("/usr", "/etc/ssl/certs", "/bin", "/lib")
_SECRET_NAME = re.compile(r"token|password|secret|_auth", re.IGNORECASE)
_ASKED_BY_NAME = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
)


@dataclass(frozen=True)
class Reach:
    """What fetching needs of a sandbox; ``secrets`` are the credentials inside the values."""

    env: dict[str, str]
    ports: frozenset[int]
    mounts: tuple[Mount, ...]
    secrets: tuple[str, ...]


def reach(platform: Mapping[str, str], fetch: Fetch) -> Reach:
    """Return how builds reach indexes, as the platform and this build say."""
    env = {**platform, **fetch.environment}
    words = [word for value in env.values() for word in value.split()]
    mounts = [Mount(path, path) for path in dict.fromkeys(_folders(words))]
    if fetch.ca_bundle and Path(fetch.ca_bundle).exists():
        mounts.append(Mount(fetch.ca_bundle, CERTIFICATES))
        env |= dict.fromkeys(_ASKED_BY_NAME, CERTIFICATES)
    secrets = [value for name, value in env.items() if _SECRET_NAME.search(name)]
    return Reach(env, PORTS | _ports(words), tuple(mounts), (*secrets, *_secrets(words)))


def _ports(words: Iterable[str]) -> frozenset[int]:
    found = set()
    for word in words:
        try:
            parts = urlsplit(word)
            port = parts.port or _SCHEMES.get(parts.scheme)
        except ValueError:
            continue
        if port and parts.netloc:
            found.add(port)
    return frozenset(found)


def _folders(words: Iterable[str]) -> Iterable[str]:
    """Give the places of this machine that indexes are read from, such as a folder of wheels."""
    for word in words:
        path = unquote(word.removeprefix("file://"))
        is_new = path.startswith("/") and not path.startswith(_FOUND_THERE)
        if is_new and path.strip("/") and Path(path).exists():
            yield path.rstrip("/")


def _secrets(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        try:
            parts = urlsplit(word)
        except ValueError:
            continue
        if parts.password:
            yield parts.password
            yield unquote(parts.password)
        elif parts.username and parts.scheme in _SCHEMES:
            yield parts.username  # a token stands where the name would
