"""The HTTP doors of the catalog."""

from fastapi import APIRouter

from . import apps, teams, tokens, transfers

router = APIRouter(tags=["catalog"])
for _each in (apps, teams, tokens, transfers):
    router.include_router(_each.router)
