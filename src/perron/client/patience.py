"""How long a call is repeated while nobody answers."""

import time
from collections.abc import Callable
from typing import TypeVar

from .faults import Fault, Unreachable

Given = TypeVar("Given")

NOBODY = 2.0
GONE = 30.0


class Away(Exception):
    """Nobody took the call this time.

    ``nobody``: nothing shows that anybody ever was there. ``stale``: the connection was an old
    one. ``busy``: somebody is there, asks for another try, and is quoted when time is up.
    """

    def __init__(
        self, why: str, *, nobody: bool = False, stale: bool = False, busy: Fault | None = None
    ) -> None:
        super().__init__(why)
        self.nobody = nobody
        self.stale = stale
        self.busy = busy


class Patience:
    """Repeats what may be repeated until it is answered, or it has waited long enough.

    A platform that answered before, or has left its socket behind, is likely to come back: it is
    given ``gone`` seconds; where nothing ever was, ``nobody`` seconds must do.
    """

    def __init__(self, name: str, tell: Callable[[str], None], *, gone: float, nobody: float):
        self._name = name
        self._tell = tell
        self._gone = gone
        self._nobody = nobody
        self._met = False

    def repeat(self, act: Callable[[], Given]) -> Given:
        """Return what ``act`` gives as soon as it does not raise Away."""
        began: float | None = None
        told = False
        while True:
            try:
                given = act()
            except Away as away:
                self._met = self._met or not away.nobody  # what was there may come back
                began = time.monotonic() if began is None else began
                self._give_up_after(began, away)
                told = told or self._told(away)
                time.sleep(0 if away.stale else 0.1)
            else:
                self._met = True
                if told:
                    self._tell("The server is back.")
                return given

    def _told(self, away: Away) -> bool:
        """Tell that there is something to wait for; say whether there was."""
        if away.stale or away.busy or (away.nobody and not self._met):
            return False
        self._tell("The server went away; trying again.")
        return True

    def _give_up_after(self, began: float, away: Away) -> None:
        limit = self._nobody if away.nobody and not self._met else self._gone
        if time.monotonic() - began < limit:
            return
        if away.busy:
            raise away.busy
        raise Unreachable(
            f"No answer from {self._name} in {limit:.0f} s ({away}). "
            "Apps keep serving without the server."
        ) from away
