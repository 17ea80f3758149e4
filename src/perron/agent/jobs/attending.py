"""Interactive jobs: a sandbox that lives while somebody is there, and the command inside it."""

import asyncio
import os
from contextlib import suppress

from starlette.websockets import WebSocket

from perron.agent.sandbox import Running, enter
from perron.contract.node import Exit
from perron.kit import clock
from perron.kit.problems import Temporary
from perron.kit.relay import relay, tell_end

from . import commands
from .model import Phase
from .rooms import Live, Rooms
from .watching import refused

PATIENCE = 60.0  # seconds until somebody must have attached
_HOLDER = ["sh", "-c", "read nothing"]  # ends when its input does: with the agent, or by us


async def wait_for_somebody(live: Live) -> tuple[Exit, int | None] | None:
    """Wait until somebody attached; how it ended, when nobody did."""
    try:
        await asyncio.wait_for(live.attended.wait(), PATIENCE)
    except TimeoutError:
        return refused(f"nobody attached within {PATIENCE:.0f} s"), None
    return None


async def attend(rooms: Rooms, live: Live, websocket: WebSocket) -> Exit:
    """Run the command for whoever is at the other end; it ends when they leave."""
    reading, writing = os.pipe()
    try:
        spec = await asyncio.to_thread(commands.sandbox_of, rooms, live.job, die_with_parent=True)
        live.note(phase=Phase.MAIN)
        env = commands.environment_of(live.job)
        held = await rooms.sandboxes.start(spec, _HOLDER, env, stdin=reading)
        live.running = held
        code = None if live.job.cancelled else await _inside(live, held, websocket)
    finally:
        live.running = None
        os.close(reading)
        os.close(writing)
    with suppress(Temporary):  # it has ended, or ends as soon as a device lets go of it
        await held.kill()
    if live.job.cancelled:
        return refused("cancelled")
    text = "ended when whoever ran it left" if code is None else f"exited with code {code}"
    return Exit(at=clock.now(), code=code, text=text)


async def _inside(live: Live, held: Running, websocket: WebSocket) -> int | None:
    spec, asked = live.job.spec, websocket.query_params
    session = await enter(
        held,
        commands.argv_of(live.job),
        terminal=spec.terminal,
        size=(_number(asked.get("rows"), 24), _number(asked.get("columns"), 80)),
    )
    code = await relay(session, websocket)
    await tell_end(websocket, code, f"exited with code {code}")
    return code


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 6 else default
