"""Agent: owns what runs on one machine, as a process of its own beside the server.

It hears wishes, keeps them in its own database, and keeps them true whether or not the server
lives. It knows the tools and the contract, and no other room.
"""

from perron.kit.settings import Home, Settings

__all__ = ["run"]


def run(home: Home, settings: Settings) -> None:
    """Be the agent of this home until told to end; exit with 75 when there is one already."""
    from .main import serve  # a room of this house, looked at alone, loads no other

    serve(home, settings)
