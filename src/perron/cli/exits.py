"""What each exit code means, and how a command stops with one."""

DONE = 0
FAILED = 1
MISTYPED = 2
NOT_ALLOWED = 3
NOT_FOUND = 4
REFUSED = 5
SUPERSEDED = 6
UNKNOWN = 7
UNREACHABLE = 8
LEFT = 130

MEANINGS = {
    DONE: "done, or yes",
    FAILED: "tried and failed; the old state stands",
    MISTYPED: "mistyped, or an answer is missing",
    NOT_ALLOWED: "not signed in, or not allowed",
    NOT_FOUND: "no such app, release, service",
    REFUSED: "refused by a rule; nothing was changed",
    SUPERSEDED: "superseded or cancelled",
    UNKNOWN: "cannot be told: unknown, not assessed",
    UNREACHABLE: "platform not reachable; nothing was asked of it",
    LEFT: "left with Ctrl C; the work goes on",
}

_BY_STATUS = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NOT_FOUND, 400: MISTYPED, 422: MISTYPED}


class Stop(Exception):
    """A command ends here: what happened, the command to try next, and the exit code."""

    def __init__(self, text: str, code: int = FAILED, *, next: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.next = next


def of_status(status: int) -> int:
    """Return the exit code for a problem's status."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status in (502, 503, 504):
        return UNKNOWN  # the server answered, and could not tell: its agent is away
    return REFUSED if status < 500 or status == 507 else FAILED


def of_operation(state: str) -> int:
    """Return the exit code for how an operation ended."""
    codes = {"done": DONE, "failed": FAILED, "cancelled": SUPERSEDED, "superseded": SUPERSEDED}
    return codes.get(state, UNKNOWN)
