"""The HTTP doors of releases: read the request, do one thing, show the result."""

from fastapi import APIRouter

from . import changing, releasing, sessions, standing

router = APIRouter()
for door in (releasing, standing, changing, sessions):
    router.include_router(door.router)

__all__ = ["router"]
