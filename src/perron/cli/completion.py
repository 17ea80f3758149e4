"""``perron completion``: completion for bash, zsh and fish."""

import click

from . import voice
from .command import command

HOW = {
    "bash": 'eval "$(perron completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(perron completion zsh)"    in ~/.zshrc, after compinit',
    "fish": "perron completion fish | source   in ~/.config/fish/config.fish",
}


@command(examples="\n".join(HOW.values()))
@click.argument("shell", type=click.Choice(sorted(HOW)))
def completion(shell: str) -> None:
    """Print the completion for SHELL; it knows commands, apps, releases and instances."""
    from click.shell_completion import get_completion_class

    from .main import perron

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choice above is click's own list
    voice.data(kind(perron, {}, "perron", "_PERRON_COMPLETE").source())
