"""Small pieces of shell that build steps are made of."""

from shlex import quote

from perron.contract.node import BuildPlan, BuildStep, Interpreter


def write_file(path: str, text: str) -> str:
    """Return a command that writes ``text`` to ``path`` exactly."""
    return f"mkdir -p {quote(_folder(path))}\ncat > {quote(path)} <<'PERRON'\n{text}PERRON\n"


def with_interpreter(plan: BuildPlan, interpreter: Interpreter) -> BuildPlan:
    """Return the plan with the interpreter readable and on the PATH."""
    return plan.model_copy(
        update={
            "read": [*plan.read, *_prefix(interpreter.path)],
            "path": [*plan.path, _folder(interpreter.path)],
        }
    )


def with_steps(plan: BuildPlan, *steps: BuildStep) -> BuildPlan:
    """Return the plan with more steps at its end."""
    return plan.model_copy(update={"steps": [*plan.steps, *steps]})


def _prefix(path: str) -> list[str]:
    """Return the folder an interpreter needs beside it; the system's own is there anyway."""
    if path.startswith(("/usr/", "/bin/")):
        return []
    return [_folder(_folder(path))]


def _folder(path: str) -> str:
    return path.rpartition("/")[0] or "."
