"""How builds reach package indexes: what one tool was told, the others hear too."""

from perron.contract.node import Fetch

# uv reads none of pip's names. pip takes the best of all its indexes, so uv shall too.
_FROM_PIP = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}
_OWN = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_SEVERAL = "UV_INDEX_STRATEGY"


def completed(fetch: Fetch) -> Fetch:
    """Return how to fetch, understood by uv and npm alike; certificates reach every tool."""
    told = dict(fetch.environment)
    if not any(told.get(name) for name in _OWN):
        told |= {ours: told[pip] for pip, ours in _FROM_PIP.items() if told.get(pip)}
        if told.get("UV_INDEX"):
            told.setdefault(_SEVERAL, "unsafe-best-match")
    bundle = fetch.ca_bundle or told.get("SSL_CERT_FILE") or told.get("NODE_EXTRA_CA_CERTS")
    return Fetch(environment=told, ca_bundle=bundle)
