"""Questions, asked only of a person; a script is told the flag it needs."""

import getpass
import sys

from . import voice
from .exits import LEFT, MISTYPED, REFUSED, Stop


def confirm(question: str, *, flag: str, default: bool = False) -> bool:
    """Ask yes or no."""
    need_person(f"{question} needs an answer, and nobody is there to give it.", flag)
    hint = "[Y/n]" if default else "[y/N]"
    answer = _answer(f"{question} {hint} ").strip().lower()
    return default if not answer else answer in ("y", "yes")


def confirm_name(name: str, given: str | None, *, what: str, doing: str = "destroy") -> None:
    """Let nothing be destroyed, or replaced, unless its name was said."""
    if given is None:
        need_person(f"To {doing} {what} {name} needs its name.", f"--yes {name}")
        given = _answer(f"Type {name} to {doing} it: ").strip()
    if given != name:
        raise Stop(f"{given or 'Nothing'} is not {name}; nothing was changed.", REFUSED)


def secret(question: str, *, flag: str) -> str:
    """Ask for something that is not shown."""
    need_person(f"{question} is missing.", flag)
    try:
        return getpass.getpass(f"{question}: ", stream=sys.stderr)
    except (KeyboardInterrupt, EOFError):
        raise Stop("Left; nothing was changed.", LEFT) from None


def need_person(text: str, flag: str) -> None:
    """Stop with the flag's name when there is no terminal to ask on."""
    if not voice.is_person():
        raise Stop(f"{text} Without a terminal, say {flag}.", MISTYPED)


def _answer(question: str) -> str:
    voice.write(question)
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        voice.write("\n")
        raise Stop("Left; nothing was changed.", LEFT) from None
    if not line:
        voice.write("\n")
    return line
