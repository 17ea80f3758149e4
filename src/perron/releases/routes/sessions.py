"""The HTTP door of one-off commands: run beside what is live, and exec inside it."""

import asyncio
import contextlib
from collections.abc import Callable

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from perron import access, catalog
from perron.access import By
from perron.catalog import Environment
from perron.contract.node import ATTACH as NODE_ATTACH
from perron.contract.node import EXEC as NODE_EXEC
from perron.contract.node import HEADER, VERSION
from perron.contract.sessions import ATTACH, EXEC, RUN, RunRequest, RunView
from perron.kit.db import UnitOfWork, reading, unit_of_work
from perron.kit.problems import Problem
from perron.kit.web import CHECKED_EVERY, Work, is_still_allowed
from perron.kit.whereabouts import home_of
from perron.releases.service import sessions

router = APIRouter(tags=["sessions"])
SHOWN = RUN + "/{run}"


@router.post(RUN, status_code=201)
def run(app: str, environment: str, body: RunRequest, work: Work, by: By) -> RunView:
    """Ask for a one-off command with the live release's build, configuration and volumes."""
    place = catalog.enter(work, by, app, environment, "run.create")
    return _view(sessions.ask(work, place, body), "queued", None)


@router.get(SHOWN)
def show_run(app: str, environment: str, run: str, work: Work, by: By) -> RunView:
    """Show how a one-off command stands."""
    place = catalog.enter(work, by, app, environment, "run.create")
    report = sessions.report(work, place, run)
    return _view(run, report.state, report.exit.code if report.exit else None)


@router.websocket(ATTACH)
async def attach(app: str, environment: str, run: str, socket: WebSocket) -> None:
    """Give a one-off command a terminal, or its input and output."""

    def enter(uow: UnitOfWork) -> Environment:
        actor = access.identify(socket, uow)
        return catalog.enter(uow, actor, app, environment, "run.create")

    def open(uow: UnitOfWork) -> str:
        return NODE_ATTACH.format(job=sessions.job_of(uow, enter(uow), run))

    await _relay(socket, enter, open)


@router.websocket(EXEC)
async def execute(app: str, environment: str, instance: str, socket: WebSocket) -> None:
    """Open a command inside a running instance."""
    argv = socket.query_params.getlist("arg")

    def enter(uow: UnitOfWork) -> Environment:
        actor = access.identify(socket, uow)
        return catalog.enter(uow, actor, app, environment, "exec.create")

    def open(uow: UnitOfWork) -> str:
        found = sessions.open_exec(uow, enter(uow), instance, argv)
        return NODE_EXEC.format(instance=found)

    await _relay(socket, enter, open)


async def _relay(
    socket: WebSocket,
    enter: Callable[[UnitOfWork], Environment],
    open: Callable[[UnitOfWork], str],
) -> None:
    """Ask whether it is allowed, then pass frames on in both directions until one side ends.

    ``open`` returns the agent's address; ``enter`` is asked again and again, and ends it.
    """
    try:
        path, uds = await run_in_threadpool(_opened, socket, open)
    except Problem as no:
        await _refuse(socket, no.status, no.code, no.detail)
        return
    target = f"ws://agent{path}?{socket.url.query}"
    try:
        async with unix_connect(
            uds, target, max_size=None, compression=None, additional_headers={HEADER: str(VERSION)}
        ) as node:
            await socket.accept()
            watch = asyncio.create_task(_end_when_refused(socket, node, enter))
            try:
                await _pass_on(socket, node)
            finally:
                watch.cancel()
    except InvalidStatus as no:
        said = (no.response.body or b"").decode(errors="replace")
        await _refuse(socket, no.response.status_code, "SessionRefused", said)
    except OSError:
        await _refuse(
            socket, 503, "AgentAway", "The agent does not answer; what it runs keeps running."
        )


def _opened(socket: WebSocket, open: Callable[[UnitOfWork], str]) -> tuple[str, str]:
    sessions.hand_over_waiting(socket.app.state.database, socket.app.state.home)
    with unit_of_work(socket.app.state.database) as uow:
        return open(uow), str(home_of(uow).agent_socket)


async def _pass_on(socket: WebSocket, node: ClientConnection) -> None:
    inward = asyncio.create_task(_inward(socket, node))
    try:
        async for frame in node:
            if isinstance(frame, bytes):
                await socket.send_bytes(frame)
            else:
                await socket.send_text(frame)
    except ConnectionClosed:
        pass
    finally:
        inward.cancel()
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it left by itself
            await socket.close()


async def _end_when_refused(
    socket: WebSocket, node: ClientConnection, enter: Callable[[UnitOfWork], Environment]
) -> None:
    """End the session of somebody who may not have it any more."""

    def check() -> None:
        with reading(socket.app.state.database) as uow:
            enter(uow)

    await asyncio.sleep(CHECKED_EVERY)
    while await is_still_allowed(check):
        await asyncio.sleep(CHECKED_EVERY)
    await node.close(1008, "Your permission for this has ended.")


async def _inward(socket: WebSocket, node: ClientConnection) -> None:
    """Pass what the person sends on to the command; its leaving ends the session."""
    try:
        while (message := await socket.receive())["type"] == "websocket.receive":
            frame = message.get("bytes")
            await node.send(frame if frame is not None else message["text"])
    except ConnectionClosed:
        return
    await node.close()


async def _refuse(socket: WebSocket, status: int, code: str, detail: str) -> None:
    """Say no as problem details, before the connection becomes a WebSocket."""
    body = {"type": f"/v1/problems/{code}", "title": code, "status": status, "detail": detail}
    answer = JSONResponse(body, status, media_type="application/problem+json")
    with contextlib.suppress(RuntimeError):
        await socket.send_denial_response(answer)


def _view(id: str, state: str, code: int | None) -> RunView:
    return RunView(id=id, state=state, exit_code=code)
