"""The HTTP door of config: what may be seen; changing it makes a release, one floor up."""

from fastapi import APIRouter, Response

from perron import access, catalog
from perron.access import By
from perron.catalog import Environment
from perron.contract.config import CONFIG, REVEAL, ConfigView, Entry, Revealed
from perron.kit.db import UnitOfWork
from perron.kit.web import Work

from . import service

router = APIRouter(tags=["config"])


@router.get(CONFIG)
def show(app: str, environment: str, work: Work, by: By, response: Response) -> ConfigView:
    """Show every key; secrets are masked. The ``ETag`` names exactly these values."""
    place = catalog.enter(work, by, app, environment, "config.read")
    service.note_read(work, place)
    shown = view(work, place)
    response.headers["ETag"] = f'"{shown.digest}"'
    return shown


@router.post(REVEAL)
def reveal(app: str, environment: str, name: str, work: Work, by: By) -> Revealed:
    """Show one value in the clear; who asked is written down."""
    place = catalog.enter(work, by, app, environment, "config.reveal")
    return Revealed(name=name, value=service.reveal(work, place, name))


def view(uow: UnitOfWork, environment: Environment) -> ConfigView:
    """Turn an environment's configuration into the shape that crosses the line."""
    found = service.entries(uow, environment)
    people = access.names_of(uow, {kept.by for kept in found})
    return ConfigView(
        digest=service.digest(uow, environment),
        entries=[
            Entry(
                name=kept.name,
                value=kept.shown,
                secret=kept.value.secret,
                build=kept.value.build,
                changed=kept.changed,
                by=kept.by,
                by_name=people.get(kept.by, kept.by),
            )
            for kept in found
        ],
    )
