"""Team blue's app shop, and its production environment."""

from contextlib import contextmanager

import pytest

from perron import catalog, config


class Still:
    """The ground, with Ada acting in production."""

    def __init__(self, ground):
        self.ground, self.database, self.home = ground, ground.database, ground.home
        self.actor, self.events, self.reading = ground.ada, ground.events, ground.reading
        with ground.reading() as uow:
            self.production = catalog.get_environment(uow, ground.shop, "production")

    @contextmanager
    def writing(self):
        with self.ground.writing(self.actor.id) as uow:
            yield uow

    def values(self):
        with self.reading() as uow:
            return config.values(uow, self.production)


@pytest.fixture
def still(ground):
    return Still(ground)
