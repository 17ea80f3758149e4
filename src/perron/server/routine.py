"""What is copied every hour without anybody asking, and how long it is kept."""

import logging
import shutil
from threading import Event

from perron.kit.settings import Home

from . import backups, whole

log = logging.getLogger(__name__)

TRIES, AGAIN = 6, 300.0


def keep(home: Home, stop: Event) -> None:
    """Back up and let go of what is too old; what fails is tried again for half an hour."""
    for _ in range(TRIES):
        try:
            _keep(home)
            return
        except Exception:
            log.exception("The backup failed; it is tried again in five minutes.")
        if stop.wait(AGAIN):
            return
    _keep(home)


def _keep(home: Home) -> None:
    """Keep the newest of each of 24 hours and of 7 days; let go of the rest."""
    backups.make(home)
    whole.make(home)
    backups.prune(home)
    folders = whole.all_of(home)
    for each in set(folders) - backups.to_keep(folders):
        shutil.rmtree(each, ignore_errors=True)
