"""Agent: owns what runs on one machine, as a process of its own beside the server.

It hears wishes, keeps them in its own database, and keeps them true whether or not the server
lives. It knows the tools and the contract, and no other room.
"""

from perron.kit.settings import Home, Settings

__all__ = ["run", "stop_everything"]


def run(home: Home, settings: Settings) -> None:
    """Be the agent of this home until told to end; exit with 75 when there is one already."""
    from .main import serve  # a room of this house, looked at alone, loads no other

    serve(home, settings)


def stop_everything(home: Home, settings: Settings) -> int:
    """Stop every instance, job and the edge of a home whose agent is not running; say how many.

    Nothing is forgotten: the next agent starts again what is wished for.
    """
    from .main import stop_everything as stop

    return stop(home, settings)
