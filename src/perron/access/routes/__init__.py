"""The HTTP side of access: who is asking, and what people do about people."""

from fastapi import APIRouter

from . import invitations, logins, me, people, sessions, teams
from .doors import By, bearer, identify

router = APIRouter(tags=["access"])
for _each in (me, sessions, logins, people, teams, invitations):
    router.include_router(_each.router)

__all__ = ["By", "bearer", "identify", "router"]
