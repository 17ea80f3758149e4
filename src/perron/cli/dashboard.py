"""``perron dashboard``: the platform in a browser, signed in."""

import webbrowser

import click

from perron.client import people as verbs

from . import voice
from .command import command
from .pages_of import address_of
from .platform import platform


@command(examples="perron dashboard\nperron dashboard --url")
@click.option("--url", "only_url", is_flag=True, help="Print the address; open nothing.")
def dashboard(only_url: bool) -> None:
    """Open the dashboard in a browser, signed in as you; the address is good once."""
    open_dashboard(only_url=only_url)


def open_dashboard(*, only_url: bool) -> None:
    """Print a page that signs one in, once, and open it where there is a browser."""
    with platform() as client:
        url = address_of(client, str(verbs.login_link(client)["path"]))
    voice.data(url)
    if not only_url and voice.is_person() and not webbrowser.open(url):
        voice.say("No browser was found here; open the address in one, within ten minutes.")
