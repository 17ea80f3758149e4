"""A platform to be killed, with one app of two instances on it."""

import resource
import shutil
import tempfile
from pathlib import Path

import pytest

from tools.rig.audit import settle
from tools.rig.older import NotAssessed, installed
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


@pytest.fixture(scope="module")
def older():
    """The older version, installed as its users had it: from its own lock, into its own folder."""
    folder = Path(tempfile.mkdtemp(prefix="pr", dir="/tmp"))
    try:
        yield installed(folder)
    except NotAssessed as why:
        pytest.skip(str(why))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def many_files():
    """Let this process open as many files as it may; give what skips when that is too few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def needed(count):
        if hard < count:
            pytest.skip(f"{hard:,} open files are allowed here; {count:,} are needed")

    yield needed
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
