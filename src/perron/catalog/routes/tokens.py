"""Tokens: for all a person may do, or for one app; listed by person, by app and by team."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter, Response

from perron import access
from perron.access import Actor, By, Token
from perron.catalog import store
from perron.catalog.service import apps
from perron.contract.tokens import (
    APP_TOKENS,
    TEAM_TOKENS,
    TOKEN,
    TOKENS,
    TokenMadeView,
    TokenRequest,
    TokenView,
)
from perron.kit import clock, web
from perron.kit.db import UnitOfWork
from perron.kit.web import Work

router = APIRouter()


@router.get(TOKENS)
def list_tokens(work: Work, by: By) -> list[TokenView]:
    """List your own tokens, oldest first; their texts are not known."""
    access.authorize_platform(work, by, "token.read")
    return _views(work, by, access.tokens_of(work, by))


@router.post(TOKENS, status_code=201)
def make_token(wanted: TokenRequest, work: Work, by: By, response: Response) -> TokenMadeView:
    """Make another token for yourself, or for one app; its text is in this answer alone."""
    web.never_keep(response)
    expires = clock.now() + timedelta(days=wanted.expires_in)
    if wanted.app is None or wanted.role is None:
        access.authorize_platform(work, by, "token.create")
        token, text = access.make_token(work, by, name=wanted.name, expires=expires)
    else:
        app = apps.authorize(work, by, wanted.app, "app_token.create")
        access.authorize_platform(work, by, "token.create")
        token, text = access.make_app_token(
            work,
            by,
            app=app.id,
            team=app.team,
            role=wanted.role,
            name=wanted.name,
            expires=expires,
        )
    return TokenMadeView(**_views(work, by, [token])[0].model_dump(), token=text)


@router.delete(TOKEN, status_code=204)
def revoke_token(token: str, work: Work, by: By) -> None:
    """Revoke a token: your own, or one for an app of a team you own. Twice is harmless."""
    access.authorize_platform(work, by, "token.revoke")
    access.revoke_token(work, by, token)


@router.get(APP_TOKENS)
def list_app_tokens(app: str, work: Work, by: By) -> list[TokenView]:
    """List the tokens that reach this app alone, whoever made them; for owners."""
    found = apps.authorize(work, by, app, "app_token.read")
    return _views(work, by, access.app_tokens(work, app=found.id))


@router.get(TEAM_TOKENS)
def list_team_tokens(team: str, work: Work, by: By) -> list[TokenView]:
    """List the tokens that reach one app of the team alone; for owners."""
    found = access.team_with(work, by, team, "app_token.read")
    return _views(work, by, access.team_tokens(work, team=found.id))


def _views(work: UnitOfWork, by: Actor, found: Sequence[Token]) -> list[TokenView]:
    names = store.names_of(work, {each.app for each in found if each.app})
    people = access.briefs_of(work, {each.person for each in found})
    return [
        TokenView.model_validate(
            vars(each)
            | {
                "person": people[each.person],
                "app": names.get(each.app, each.app) if each.app else None,
                "current": each.id == by.token,
            }
        )
        for each in found
    ]
