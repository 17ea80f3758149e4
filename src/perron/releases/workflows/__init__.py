"""The work on releases that outlives the request; each step can be repeated."""

from .deploying import DEPLOY
from .destroying import DESTROY
from .restarting import RESTART
from .settling import SETTLE, START, STOP

WORKFLOWS = {
    "releases.deploy": DEPLOY,
    "releases.restart": RESTART,
    "releases.scale": SETTLE,
    "releases.start": START,
    "releases.stop": STOP,
    "releases.destroy": DESTROY,
}
