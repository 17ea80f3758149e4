"""How a tenant's command line is run, so that a signal reaches the app itself."""

BUILTINS = frozenset(
    {
        *("if", "for", "while", "until", "case", "exec", "cd", "export", "set", "unset", "trap"),
        *(".", ":", "source", "eval", "test", "[", "ulimit", "umask", "wait", "read", "exit"),
        *("true", "false", "!", "fi", "done", "esac", "then", "else", "elif", "do", "}"),
    }
)


def command_line(command: str) -> list[str]:
    """Return the arguments that run a command.

    The last plain command of ``a && b`` or ``a; b`` replaces its shell; what needs the shell
    to the end (a pipe, a loop, something in the background) keeps it.
    """
    start = _last_command(command)
    words = command[start:].split(maxsplit=1) if start is not None else []
    if not words or words[0] in BUILTINS or "=" in words[0] or words[0][0] in "({)#":
        return ["sh", "-c", command]
    return ["sh", "-c", f"{command[:start]} exec {command[start:].lstrip()}".lstrip()]


def _last_command(command: str) -> int | None:
    """Return where the last plain command begins; None when there is not one alone."""
    quote, start, at = "", 0, 0
    while at < len(command):
        mark = command[at]
        if mark == "\\" and quote != "'":
            at += 1
        elif quote:
            quote = "" if mark == quote else quote
        elif mark in "'\"`":
            quote = mark
        elif command.startswith("&&", at):
            start, at = at + 2, at + 1
        elif mark in ";\n":
            start = at + 1
        elif mark in "|&" and not _redirects(command, at):
            return None
        at += 1
    return None if _is_grouped(command) else start


def _redirects(command: str, at: int) -> bool:
    """Say whether an ampersand belongs to ``2>&1`` or ``&>file``."""
    return command[at] == "&" and (command[at - 1 : at] in "<>" or command[at + 1 : at + 2] == ">")


def _is_grouped(command: str) -> bool:
    """Say whether the last command may stand inside another, or be a function."""
    return command.lstrip()[:1] in ("(", "{") or "()" in command or "<<" in command
