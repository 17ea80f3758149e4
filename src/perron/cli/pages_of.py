"""Where the platform's pages are, for somebody with a browser."""

from perron.client import Client, verbs


def address_of(client: Client, path: str) -> str:
    """Return the whole address of a page of the platform."""
    if client.address.socket:
        return str(verbs.platform(client)["url"]) + path
    return client.address.url + path
