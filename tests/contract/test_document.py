"""The OpenAPI document is true: what it allows and what it does not is answered as told."""

import os
import time

import pytest

from tools.rig.people import ROLES, Stage
from tools.rig.platform import platform
from tools.rig.throwing import Thrown, throw

SHORT, LONG = 1_500, 20_000
PATIENCE = 90.0


def play(cases: int, patience: float = 1e9) -> Thrown:
    """Throw at a platform of its own."""
    with platform() as here:
        stage = Stage(here)
        end = time.monotonic() + patience
        thrown = throw(stage, cases=cases, is_over=lambda: time.monotonic() > end)
        print(thrown)
        assert here.pid("serve")
        return thrown


def assert_true(thrown: Thrown) -> None:
    told = [f"{kind}\n{example}" for kind, example in sorted(thrown.faults.items())]
    assert not told, "\n\n".join(told)
    assert set(thrown.by_role) == set(ROLES)


@pytest.mark.fault
@pytest.mark.timeout(300)
def test_a_sample_of_requests_of_every_role_is_answered_as_documented():
    assert_true(play(SHORT, PATIENCE))


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_twenty_thousand_requests_of_every_role_are_answered_as_documented():
    wanted = int(os.environ.get("CASES", LONG))
    thrown = play(wanted)
    assert_true(thrown)
    assert thrown.cases >= wanted
