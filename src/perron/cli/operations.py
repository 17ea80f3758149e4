"""``perron operations``: work that outlives its request."""

from itertools import islice
from typing import Any

import click

from perron.client import Place, examining, verbs

from . import exits, options, tables, voice, words
from .command import group
from .exits import Stop
from .following import follow
from .platform import platform
from .steps import Board
from .tables import Column

COLUMNS = (
    Column("OPERATION"),
    Column("WORK"),
    Column("STATE"),
    Column("ASKED", low=True),
    Column("TOOK", figure=True, low=True),
    Column("REASON", text=True),
)

NOW = (
    Column("OPERATION"),
    Column("APP"),
    Column("STATE"),
    Column("STEP"),
    Column("SINCE", low=True),
    Column("BY", low=True),
    Column("SAID", text=True),
)


@group(default="list")
def operations() -> None:
    """See work that outlives its request."""


@operations.command("list", examples="perron operations\nperron operations --state running")
@click.option("--state", metavar="STATE", help="Only those that are running, failed, …")
@click.option("-a", "--app", metavar="NAME", help="Only those of one app.")
@click.option("-e", "--env", "environment", metavar="NAME", help="Of --app, only those there.")
@click.option("-n", "number", type=click.IntRange(1), default=20, help="How many.")
@options.shaped
def list_operations(
    state: str | None, app: str | None, environment: str | None, number: int, shape: str
) -> None:
    """List operations, newest first."""
    query: dict[str, Any] = {"state": state, "limit": min(number, 500)}
    with platform(as_json=shape == "json") as client:
        if app:
            query["app"] = verbs.app(client, app)["id"]
        if app and environment:
            query["environment"] = verbs.environment(client, Place(app, environment))["id"]
        found = list(islice(client.pages("/v1/operations", query), number))
    tables.listing(found, COLUMNS, [_row(each) for each in found], shape=shape)


@operations.command("now", examples="perron operations now\nperron operations now --json")
@options.shaped
def list_work(shape: str) -> None:
    """List what the platform does just now, for every team; for administrators."""
    with platform(as_json=shape == "json") as client:
        found = list(examining.work(client))
    tables.listing(found, NOW, [_work_row(each) for each in found], shape=shape)


@operations.command("show", examples="perron operations show op_0198c5…")
@click.argument("operation")
@options.as_json
def show(operation: str, as_json: bool) -> None:
    """Show OPERATION, its steps, and all that came of the same cause."""
    with platform(as_json=as_json) as client:
        found = verbs.operation(client, operation)
    if as_json:
        tables.document(found)
        return
    _show(found["operation"])
    others = [each for each in found["family"] if each["id"] != found["operation"]["id"]]
    if others:
        voice.data("Of the same cause:")
        tables.show(COLUMNS, [_row(each) for each in others])


@operations.command("follow", examples="perron operations follow op_0198c5…")
@click.argument("operation")
def follow_operation(operation: str) -> None:
    """Follow OPERATION to its end."""
    with platform() as client:
        leaving = f"Left. It goes on; perron operations show {operation}"
        ending = follow(client, operation, Board(), leaving=leaving)
    text = f"{ending.state.capitalize()}. {ending.reason}".rstrip()
    if ending.state != "done":
        raise Stop(text, exits.of_operation(ending.state))
    voice.say(text)


@operations.command("cancel", examples="perron operations cancel op_0198c5…")
@click.argument("operation")
def cancel(operation: str) -> None:
    """Stop OPERATION as soon as it can be stopped."""
    with platform() as client:
        verbs.cancel_operation(client, operation)
    voice.say("Asked to stop.")


def _show(operation: dict[str, Any]) -> None:
    head = f"{operation['id']}  {operation['work']}  {operation['state']}"
    voice.data(f"{head}  {operation.get('reason') or ''}".rstrip())
    for step in operation["steps"]:
        took = words.between(step.get("started"), step.get("finished"))
        shown = "     -" if took is None else f"{took:4.1f} s"
        state = f"{step['state']:<8}"
        said = voice.harmless(step.get("message") or "")
        at = words.clock_time(step.get("started"))
        voice.data(f"  {at}  {step['name']:<10}{state}  {shown}  {said}".rstrip())


def _work_row(work: dict[str, Any]) -> list[tables.Cell]:
    place = f"{work['app'] or '-'}/{work['environment'] or '-'}"
    return [
        work["operation"],
        place,
        tables.of_state(work["state"]),
        work["step"],
        words.when(work["started"] or work["asked"]),
        work["by_name"] or work["by"],
        work["text"],
    ]


def _row(operation: dict[str, Any]) -> list[tables.Cell]:
    took = words.between(operation.get("asked"), operation.get("finished"))
    return [
        operation["id"],
        operation["work"],
        tables.of_state(operation["state"]),
        words.when(operation.get("asked")),
        None if took is None else words.lasting(took),
        operation.get("reason"),
    ]
