"""A person's command inside a running instance, led over a WebSocket."""

from collections.abc import Sequence

from starlette.websockets import WebSocket

from perron.agent import sandbox
from perron.kit.problems import Conflict
from perron.kit.relay import relay, tell_end

from .keeper import Keeper


async def run_inside(
    keeper: Keeper,
    websocket: WebSocket,
    argv: Sequence[str],
    *,
    terminal: bool,
    size: tuple[int, int],
) -> None:
    """Run ``argv`` in the instance's sandbox until it ends, or whoever asked leaves."""
    if keeper.running is None:
        raise Conflict(f"{keeper.instance.name} does not run at the moment; see `perron ps`.")
    session = await sandbox.enter(keeper.running, argv, terminal=terminal, size=size)
    code = await relay(session, websocket)
    if code is not None:
        await tell_end(websocket, code, f"exited with code {code}")
