"""Pages that say what went wrong: what happened, what it means, what to do."""

from perron.client import Refused, Unreachable

from .asking import Ask, Shown

TITLES = {
    400: "That could not be read",
    403: "That is not yours to do",
    404: "There is nothing here",
    405: "That cannot be done this way",
    409: "That does not fit with how things are now",
    412: "Somebody else changed it meanwhile",
    413: "That is too large",
    422: "Something in that cannot be",
    429: "Too many tries",
    503: "The platform is busy",
}


BY_CODE = {
    "LinkNotFound": "That link does not work any more",
    "InvitationGone": "That link does not work any more",
    "LoginNotFound": "That link does not work any more",
    "AppNotFound": "There is no such app",
    "EnvironmentNotFound": "There is no such environment",
    "ReleaseNotFound": "There is no such release",
}


def of_refusal(ask: Ask, refused: Refused) -> Shown:
    """Show why the platform said no to a whole page."""
    usual = TITLES.get(refused.status, "The platform refused")
    title = BY_CODE.get(refused.code, usual)
    changed = "Nothing was changed." if ask.form else ""
    return _problem(ask, refused.status, title, refused.detail, changed, refused)


def of_status(ask: Ask, status: int) -> Shown:
    """Show that an address leads nowhere."""
    detail = f"No page is at {ask.path}. It may have been renamed or destroyed."
    if status == 413:
        detail = "The form is larger than 2 MB or has more than 2,000 fields. Nothing was changed."
    elif status != 404:
        detail = "The address takes other requests than that."
    return _problem(ask, status, TITLES.get(status, TITLES[400]), detail)


def not_ours(why: str) -> Shown:
    """Show that a form was refused because it is not our own."""
    detail = f"{why} Nothing was changed. Go back, reload the page, and do it again."
    return Shown("gate-problem.html", {"title": "That form was not taken", "detail": detail,
                                       "command": "", "request": ""}, 403)  # fmt: skip


def unreachable(why: Unreachable) -> Shown:
    """Show that the platform did not answer."""
    facts = {"title": "The platform does not answer", "detail": str(why),
             "command": "perron status", "request": ""}  # fmt: skip
    return Shown("gate-problem.html", facts, 503)


def fault(request: str) -> Shown:
    """Show that the fault is ours."""
    detail = "Something went wrong on our side. The server's log says more under the request's id."
    facts = {"title": "This page could not be made", "detail": detail,
             "command": "perron doctor", "request": request}  # fmt: skip
    return Shown("gate-problem.html", facts, 500)


def _problem(
    ask: Ask,
    status: int,
    title: str,
    detail: str,
    changed: str = "",
    refused: Refused | None = None,
) -> Shown:
    facts = {"title": title, "detail": detail, "changed": changed, "status": status,
             "problem": refused}  # fmt: skip
    is_inside = ask.session.secret and status != 503  # the shell would have to ask as well
    return Shown("problem.html" if is_inside else "gate-problem.html",
                 facts | {"command": "", "request": refused.request if refused else ""},
                 status)  # fmt: skip
