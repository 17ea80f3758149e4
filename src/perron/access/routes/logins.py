"""``/v1/logins``: a command line that asks to be let in through a browser."""

from fastapi import APIRouter, Response

from perron.access.model.sessions import Login
from perron.access.service import logins, rights
from perron.contract.people import (
    APPROVAL_PAGE,
    LOGIN,
    LOGIN_APPROVE,
    LOGIN_TOKEN,
    LOGINS,
    LoginMadeView,
    LoginRequest,
    LoginSecret,
    LoginTokenView,
    LoginView,
)
from perron.kit import web
from perron.kit.web import Work

from .doors import By

router = APIRouter()

INTERVAL = 1.0  # seconds between two questions of a command line


@router.post(LOGINS, status_code=201)
def ask_in(wanted: LoginRequest, work: Work, response: Response) -> LoginMadeView:
    """Ask to be let in; a signed-in person compares the code and approves, within ten minutes."""
    login, secret = logins.ask_in(work, wanted.name)
    web.never_keep(response)
    return LoginMadeView(
        code=login.code,
        secret=secret,
        path=APPROVAL_PAGE.format(code=login.code),
        expires=login.expires,
        interval=INTERVAL,
    )


@router.get(LOGIN)
def show_login(code: str, work: Work, by: By) -> LoginView:
    """Show what asks to be let in with your rights: its machine, its address, since when."""
    rights.authorize_platform(work, by, "login.approve")
    return _shown(logins.find_login(work, code))


@router.post(LOGIN_APPROVE)
def approve(code: str, work: Work, by: By) -> LoginView:
    """Let it in with your rights, for ninety days; twice is harmless."""
    rights.authorize_platform(work, by, "login.approve")
    return _shown(logins.approve(work, by, code))


@router.delete(LOGIN, status_code=204)
def deny(code: str, work: Work, by: By) -> None:
    """Refuse it."""
    rights.authorize_platform(work, by, "login.approve")
    logins.deny(work, by, code)


@router.post(LOGIN_TOKEN)
def collect(code: str, wanted: LoginSecret, work: Work, response: Response) -> LoginTokenView:
    """Ask whether somebody has approved; if so the token is in this answer and nowhere else."""
    made = logins.collect(work, code, wanted.secret)
    web.never_keep(response)
    if made is None:
        return LoginTokenView(state="waiting")
    token, text = made
    return LoginTokenView(state="approved", token=text, token_id=token.id, expires=token.expires)


def _shown(login: Login) -> LoginView:
    return LoginView(
        code=login.code,
        name=login.name,
        created=login.created,
        expires=login.expires,
        from_=login.address,
        agent=login.agent,
        state="approved" if login.person else "waiting",
    )
