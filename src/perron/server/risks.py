"""``perron platform accept``: what an administrator lets happen between teams, over the API."""

import os

from perron import client
from perron.contract.platform import ACCEPTED
from perron.kit.problems import Problem

from .screen import say


class AcceptFailed(Problem):
    """The platform did not take it; the text says why."""


def accept(risk: str, *, take_back: bool) -> int:
    """Accept a risk for everybody, or take that back; it is written down who did."""
    path = ACCEPTED.format(risk=risk)
    try:
        asking = client.Client.signed_in(client.find_login(os.environ), say)
        answer = asking.send("DELETE" if take_back else "PUT", path)
        asking.close()
    except client.Fault as why:
        raise AcceptFailed(str(why)) from why
    several = "Several teams" if answer["several_teams"] else "Only one team"
    say(f"{several} may deploy on this machine. {answer['reason']}".rstrip())
    return 0
