"""``perron api``: the platform's HTTP API, with the login that counts."""

import json
import sys
from pathlib import Path

import click

from . import voice
from .command import command
from .exits import MISTYPED, Stop
from .platform import platform

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@command(
    examples="""
    perron api GET /v1/apps
    perron api POST /v1/apps --data '{"name": "shop"}'
    perron api PUT /v1/apps/shop/sources --file app.tar.gz
    """
)
@click.argument("method", type=click.Choice(METHODS, case_sensitive=False))
@click.argument("path")
@click.option("--data", metavar="JSON", help="The body; - reads it from stdin.")
@click.option("--file", type=click.Path(path_type=Path, exists=True), help="A file as the body.")
@click.option("--json", is_flag=True, hidden=True, expose_value=False)  # it is JSON anyway
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header.")
def api(
    method: str, path: str, data: str | None, file: Path | None, headers: tuple[str, ...]
) -> None:
    """Send METHOD PATH and print the answer as it is."""
    if not path.startswith("/"):
        raise click.UsageError("PATH begins with /, as in /v1/apps.")
    given = dict(_header(each) for each in headers)
    body = file or (_document(data) if data is not None else None)
    with platform(as_json=True) as client:
        answer = client.answer(method.upper(), path, body, given)
    text = answer.body.decode(errors="replace")
    if sys.stdout.isatty() and "json" in answer.headers.get("content-type", ""):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    if voice.meta("verbose"):
        voice.say(f"HTTP {answer.status}")
        for name, value in answer.headers.items():
            voice.say(f"{name}: {value}")
    if text:
        voice.data(text.removesuffix("\n"))


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise Stop(f"{text} is no header; write Name: value.", MISTYPED)
    return name.strip(), value.strip()


def _document(data: str) -> object:
    text = sys.stdin.read() if data == "-" else data
    try:
        return json.loads(text)
    except ValueError as why:
        raise Stop(f"--data is no JSON: {why}.", MISTYPED) from why
