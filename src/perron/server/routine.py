"""What is copied every hour without anybody asking, and how long it is kept."""

import logging
import shutil
from contextlib import suppress
from threading import Event

from perron.kit import settings
from perron.kit.settings import Home

from . import backups, freshness, retention, whole

log = logging.getLogger(__name__)

TRIES, AGAIN = 6, 300.0


def keep(home: Home, stop: Event) -> None:
    """Back up and let go of what is too old; what fails is tried again for half an hour.

    Why it fails is written down: ``perron doctor`` says it until a backup is made again.
    """
    for tried in range(TRIES + 1):
        try:
            _keep(home)
            return
        except Exception as why:
            _note(home, why)
            if tried == TRIES:
                raise
            log.exception("The backup failed; it is tried again in five minutes.")
        if stop.wait(AGAIN):
            return


def _keep(home: Home) -> None:
    """Back up; keep the newest of each hour, day and week that the settings name."""
    policy = retention.policy_of(settings.load(home))
    backups.make(home)
    whole.make(home)
    freshness.note_success(home)
    backups.prune(home, policy)
    folders = whole.all_of(home)
    for each in set(folders) - retention.to_keep(folders, policy):
        shutil.rmtree(each, ignore_errors=True)


def _note(home: Home, why: Exception) -> None:
    with suppress(OSError):  # a disk that is full takes no word either; the age tells
        freshness.note_failure(home, str(why) or type(why).__name__)
