"""A platform to be killed, with one app of two instances on it."""

import pytest

from tools.rig.audit import settle
from tools.rig.platform import Platform


@pytest.fixture(scope="module")
def here():
    made = Platform()
    try:
        yield made.up()
    finally:
        made.close()


@pytest.fixture(scope="module")
def load(here):
    """An app of two instances, whose release command writes each of its runs down."""
    folder = here.app("load")
    (folder / "Procfile").write_text(
        "web: python3 app.py\nrelease: sh -c 'echo ran $PERRON_RELEASE >> /data/ran; sleep 0.5'\n"
    )
    (folder / "perron.toml").write_text('[volumes.data]\nmount = "/data"\nsize = "64M"\n')
    here.perron("deploy", str(folder), "-a", "load", "--create")
    here.perron("scale", "-a", "load", "web=2")
    settle(here)
    return folder
