"""Build steps as files for the shell: nothing of them ever stands on a command line."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from perron.contract.node import BuildStep

SEEN_AT = "/build"
STEP_AT = "/run/step"
_MAIN = "run"

_STEP = """\
echo {number} > {step_at}
echo {title}
began=$(date +%s%N)
sh -e {seen_at}/{number} || {{
  code=$?
  echo {failed}" (exit code $code)" >&2
  exit $code
}}
took=$(( ($(date +%s%N) - began) / 1000000 ))
echo "       done in $(( took / 1000 )).$(( took % 1000 / 100 )) s"
"""


def write(folder: Path, steps: Sequence[BuildStep]) -> None:
    """Put a script for each step, and one that runs them in order, into a fresh folder."""
    folder.mkdir(mode=0o755)
    _write(folder / _MAIN, f"cd /app\n{''.join(map(_told, range(1, len(steps) + 1), steps))}")
    for number, step in enumerate(steps, start=1):
        given = "".join(f"export {name}={quote(value)}\n" for name, value in step.env.items())
        _write(folder / str(number), f"{given}{step.command}\n")


def argv() -> list[str]:
    """Return the command that runs all steps, as seen inside."""
    return ["sh", "-e", f"{SEEN_AT}/{_MAIN}"]


def title_of(told: str, steps: Sequence[BuildStep]) -> str:
    """Return the title of the step the script was at; what a tenant wrote there is not trusted."""
    number = int(told) if told.strip().isdecimal() and len(told) < 9 else 0
    return steps[number - 1].title if 1 <= number <= len(steps) else ""


def headline(title: str) -> str:
    """Return a line that begins a part of the build log."""
    return f"-----> {title}"


def _told(number: int, step: BuildStep) -> str:
    return _STEP.format(
        number=number,
        title=quote(headline(step.title)),
        failed=quote(f"       {step.title} failed"),
        seen_at=SEEN_AT,
        step_at=STEP_AT,
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o444)
