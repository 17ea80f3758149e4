"""Every command by name: where it is, what it does, and in which group it is shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One command: the module that has it, and a line about it."""

    module: str
    text: str
    group: str
    front: bool = False
    function: str = ""


GROUPS = ("Start", "Run", "Ship", "Improve")
PERROND = ("up", "down", "status", "doctor", "platform")

COMMANDS: dict[str, Entry] = {
    "api": Entry("api", "Speak to the platform's HTTP API.", "Improve"),
    "apps": Entry("apps", "List, create, rename and destroy apps.", "Start", front=True),
    "audit": Entry("audit", "See who did what, and verify that it stands.", "Improve"),
    "cancel": Entry("releases", "Stop the deploy that is under way.", "Ship"),
    "commands": Entry("help", "List every command.", "Improve"),
    "completion": Entry("completion", "Print completion for your shell.", "Improve"),
    "config": Entry("config", "Set, import and list configuration and secrets.", "Run", front=True),
    "contexts": Entry("login", "List and choose platforms you are signed in to.", "Start"),
    "dashboard": Entry("dashboard", "Open the dashboard, signed in.", "Start"),
    "cron": Entry("cron", "Run commands by the clock.", "Run"),
    "deploy": Entry("deploy", "Put a folder live.", "Ship", front=True),
    "doctor": Entry("", "Say what this machine can and cannot do.", "Improve", front=True),
    "domains": Entry("domains", "Lead host names to an environment.", "Run"),
    "down": Entry("", "Stop server and agent; apps go on serving.", "Start"),
    "env": Entry("environments", "List, create and destroy environments.", "Ship", front=True),
    "exec": Entry("sessions", "Run a command inside a running instance.", "Run", function="exec_"),
    "explain": Entry("explain", "Explain a problem or an exit code, offline.", "Improve"),
    "help": Entry("help", "Show help about a command.", "Improve", function="help_"),
    "invitations": Entry("invitations", "Invite somebody into a team.", "Start"),
    "login": Entry("login", "Sign in to a platform, through a browser.", "Start"),
    "logins": Entry("logins", "List the browsers you are signed in with.", "Start"),
    "logout": Entry("login", "Sign out of a platform.", "Start"),
    "logs": Entry("logs", "Read and follow logs.", "Run", front=True),
    "maintenance": Entry("domains", "Show visitors a maintenance page, or stop.", "Run"),
    "members": Entry("members", "List and change who is in a team.", "Start"),
    "open": Entry("apps", "Open the app in a browser.", "Start", function="open_", front=True),
    "operations": Entry("operations", "See work that outlives its request.", "Improve"),
    "passwd": Entry("passwd", "Set your password.", "Start"),
    "people": Entry("people", "List people, make administrators, reset passwords.", "Start"),
    "platform": Entry("", "Set up, restore and prune the platform.", "Improve"),
    "protect": Entry("domains", "Ask visitors for a password, or stop.", "Run"),
    "ps": Entry("processes", "List instances and how they are.", "Run", front=True),
    "quotas": Entry("quotas", "See and set what a team may have.", "Improve"),
    "releases": Entry("releases", "List, show and compare releases.", "Ship", front=True),
    "restart": Entry("processes", "Replace instances one after the other.", "Run"),
    "rollback": Entry("releases", "Go back to an older release.", "Ship", front=True),
    "run": Entry("sessions", "Run a one-off command with the app's build and config.", "Run"),
    "scale": Entry("processes", "Change how many instances run.", "Run"),
    "start": Entry("processes", "Start what was stopped.", "Run"),
    "status": Entry("", "Say how the platform is, even when it is down.", "Improve", front=True),
    "stop": Entry("processes", "Stop every instance of an environment.", "Run"),
    "teams": Entry("teams", "List, create, rename and delete teams.", "Start"),
    "tokens": Entry("tokens", "Make, list and revoke tokens.", "Start"),
    "transfers": Entry("transfers", "Move an app to another team.", "Start"),
    "up": Entry("", "Start the platform on this machine.", "Start", front=True),
    "volumes": Entry("volumes", "Folders that outlive releases.", "Run"),
    "whoami": Entry("login", "Say who you are, and where.", "Start"),
}


def of_group(group: str, *, front: bool = False) -> list[tuple[str, str]]:
    """Return the names and lines of a group; with ``front``, those of the first page."""
    return [
        (name, entry.text)
        for name, entry in sorted(COMMANDS.items())
        if entry.group == group and (entry.front or not front)
    ]


def nearest(word: str, known: list[str]) -> str | None:
    """Return the known word within two edits, if there is one."""
    scored = sorted((distance(word, each), each) for each in known)
    return scored[0][1] if scored and scored[0][0] <= 2 else None


def distance(one: str, other: str) -> int:
    """Return how many letters must be put in, left out, changed or swapped."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
