"""The ``perron`` command. Each part is loaded only when it is used, so ``--help`` stays quick."""

import os
import shutil
import sys
from importlib import import_module
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from . import index, voice
from .command import HELP, no_command
from .exits import DONE, FAILED, LEFT, MISTYPED, Stop
from .index import COMMANDS, GROUPS


class LazyGroup(click.Group):
    """Finds ``perron NAME`` in its module at the moment it is asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return every name."""
        return sorted(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Load one command or group of commands."""
        entry = COMMANDS.get(name)
        if entry is None or not entry.module:
            return None
        module = import_module(f"perron.cli.{entry.module}")
        found: click.Command = getattr(module, entry.function or name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which one was meant."""
        name = args[0]
        if name not in COMMANDS:
            raise no_command("perron", name, sorted(COMMANDS))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer every command, without loading any."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=entry.text)
            for name, entry in sorted(COMMANDS.items())
            if name.startswith(incomplete)
        ]

    def format_help(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first page without loading any command."""
        formatter.write("perron puts your apps live and keeps them so.\n")
        for group in GROUPS:
            formatter.write(f"\n{group}\n")
            for name, text in index.of_group(group, front=True):
                formatter.write(f"  {name:<10}  {text}\n")
        formatter.write("\nAll commands: perron commands. About one: perron help NAME\n")


def version(context: click.Context, _option: click.Parameter, value: bool) -> None:
    """Print the version and leave."""
    if value:
        from perron import __version__

        click.echo(f"perron {__version__}")
        context.exit()


@click.group(cls=LazyGroup, context_settings=HELP, invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=version)
@click.pass_context
def perron(context: click.Context) -> None:
    """Deploy and run your apps."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """Run the command that was typed, and leave with its exit code."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in index.PERROND:
        become_perrond(arguments)
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run a command; what went wrong becomes a sentence and an exit code."""
    try:
        code = perron.main(arguments, prog_name="perron", standalone_mode=False)
    except Stop as stop:
        return _stopped(stop)
    except click.UsageError as why:
        from .usage import explain

        return _stopped(Stop(explain(why), MISTYPED))
    except (KeyboardInterrupt, click.Abort):
        return LEFT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except click.ClickException as why:
        return _stopped(Stop(why.format_message(), MISTYPED))
    return code if isinstance(code, int) else DONE


def become_perrond(arguments: list[str]) -> None:
    """Turn into ``perrond`` with the same arguments: those commands live on the roof."""
    if why := why_not_here(sys.platform):
        voice.say(why)
        sys.exit(FAILED)
    for folder in (Path(sys.argv[0]).parent, Path(sys.executable).parent):
        if os.access(folder / "perrond", os.X_OK):
            os.execv(folder / "perrond", ["perrond", *arguments])  # noqa: S606
    if found := shutil.which("perrond"):
        os.execv(found, ["perrond", *arguments])  # noqa: S606
    voice.say("There is no perrond beside perron; install the whole package to run a platform.")
    sys.exit(MISTYPED)


def why_not_here(system: str) -> str:
    """Say why no platform runs on such a system, and what to do; nothing on Linux."""
    if system.startswith("linux"):
        return ""
    if system.startswith("win"):
        return (
            "A platform runs on Linux, and this is Windows. Run `wsl --install` and perron up "
            "in there, or run it on a Linux machine and use it from here: perron login URL"
        )
    name = "macOS" if system == "darwin" else system
    return (
        f"A platform runs on Linux, and this is {name}. Run it on a Linux machine, a virtual one "
        "for instance, and use it from here: perron login URL"
    )


def _stopped(stop: Stop) -> int:
    if stop.text:
        voice.say(stop.text)
    if stop.next:
        voice.say(f"Next   {stop.next}")
    return stop.code


if __name__ == "__main__":
    main()
