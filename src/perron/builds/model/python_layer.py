"""A Python project's dependencies: what is installed, how, and what the result depends on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from shlex import quote

from perron.contract.node import BuildStep, Interpreter, Layer

from . import requirements
from .detected import BuildRefused
from .requirements import Read

# Known good together, and on every Python that is still maintained.
SERVERS = {
    "gunicorn": ["gunicorn==23.0.0"],
    "uvicorn": ["uvicorn==0.35.0", "websockets==15.0.1"],
    "whitenoise": ["whitenoise==6.9.0"],
    "hypercorn": ["hypercorn==0.17.3"],
    "waitress": ["waitress==3.0.2"],
}
_INTO = "--python .venv/bin/python"
REQUIREMENTS = (
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
)


@dataclass(frozen=True)
class Dependencies:
    """How dependencies are installed; ``texts`` are all that the result depends on."""

    told_by: str
    commands: tuple[str, ...]
    texts: Mapping[str, str]
    declared: frozenset[str]
    notes: tuple[str, ...] = ()


def find(read: Read, has: frozenset[str], *, uv: str, source: str) -> Dependencies | None:
    """Return how the project's dependencies are told, the surest way first."""
    if "uv.lock" in has and "pyproject.toml" in has:
        return _locked(read, uv=uv, source=source)
    for name in REQUIREMENTS:
        if name in has:
            return _listed(name, read, uv=uv, source=source)
    if "pyproject.toml" in has:
        return _project(read, uv=uv, source=source)
    if "setup.py" in has:
        return _installed("setup.py", read, uv=uv, source=source)
    for name in ("Pipfile", "environment.yml", "poetry.lock"):
        if name in has:
            raise BuildRefused(
                f"{name} alone cannot be installed here. Export it: a requirements.txt, or a "
                "pyproject.toml with uv.lock, is what Perron reads."
            )
    return None


def layer(
    dependencies: Dependencies | None,
    python: Interpreter,
    servers: Sequence[str],
    *,
    uv: str,
) -> Layer | None:
    """Return the layer with the virtual environment, None where nothing is needed."""
    if dependencies is None and not servers:
        return None
    commands = dependencies.commands if dependencies else (f"{uv} venv --quiet .venv",)
    texts = dependencies.texts if dependencies else {}
    told = dependencies.told_by if dependencies else "the server"
    env = environment(python)
    steps = [BuildStep(title=f"Installing {told}", command="\n".join(commands), env=env)]
    if servers:
        command = "\n".join(_ensure(server, uv) for server in servers)
        steps.append(BuildStep(title="Checking for a server", command=command, env=env))
    key = sha256(repr((sorted(texts.items()), python.version)).encode()).hexdigest()
    return Layer(key=key, folder=".venv", steps=steps, share=True)


def environment(python: Interpreter) -> dict[str, str]:
    """Return what uv finds in its environment: one interpreter, one cache, copies only.

    Copies, because a hard link into the cache would let one app change another one's files.
    """
    return {
        "UV_CACHE_DIR": "/cache/uv",
        "UV_COMPILE_BYTECODE": "1",
        "UV_LINK_MODE": "copy",
        "UV_NO_PROGRESS": "1",
        "UV_PROJECT_ENVIRONMENT": "/app/.venv",
        "UV_PYTHON": python.path,
        "UV_PYTHON_DOWNLOADS": "never",
        "VIRTUAL_ENV": "/app/.venv",
    }


def _locked(read: Read, *, uv: str, source: str) -> Dependencies:
    lock, project = read("uv.lock") or "", read("pyproject.toml") or ""
    texts = {"uv.lock": lock, "pyproject.toml": project}
    if "tool.uv.workspace" in project or 'editable = "' in lock.replace('editable = "."', ""):
        texts["source"] = source
    return Dependencies(
        "uv.lock",
        (f"{uv} sync --frozen --no-dev",),
        texts,
        frozenset(requirements.locked(lock)),
    )


def _listed(name: str, read: Read, *, uv: str, source: str) -> Dependencies:
    texts = requirements.texts(name, read)
    together = "\n".join(texts.values())
    if requirements.takes_source(together):
        texts["source"] = source
    return Dependencies(
        name,
        (f"{uv} venv --quiet .venv", f"{uv} pip install {_INTO} -r {quote(name)}"),
        texts,
        frozenset(requirements.names(together)),
    )


def _project(read: Read, *, uv: str, source: str) -> Dependencies | None:
    text = read("pyproject.toml") or ""
    values = requirements.project(text)
    if "project" not in values:
        poetry = "poetry" in values.get("tool", {})
        return _installed("pyproject.toml", read, uv=uv, source=source) if poetry else None
    listed = values["project"].get("dependencies", [])
    declared = {name for each in listed for name in requirements.named(str(each))}
    texts = {"pyproject.toml": text}
    if "workspace" in text or "path =" in text or "file:" in text:
        texts["source"] = source
    note = "There is no uv.lock: dependencies are taken as new as pyproject.toml allows, once."
    return Dependencies(
        "pyproject.toml", (f"{uv} sync --no-dev",), texts, frozenset(declared), (note,)
    )


def _installed(told_by: str, read: Read, *, uv: str, source: str) -> Dependencies:
    return Dependencies(
        told_by,
        (f"{uv} venv --quiet .venv", f"{uv} pip install {_INTO} -e ."),
        {told_by: read(told_by) or "", "source": source},
        frozenset(),
    )


def _ensure(package: str, uv: str) -> str:
    pins = SERVERS[package]
    told = f"{package} is not among the dependencies: adding {' '.join(pins)}"
    install = f"{uv} pip install {_INTO} {' '.join(map(quote, pins))}"
    return (
        f".venv/bin/python -c 'import {package}' 2>/dev/null || "
        f"{{ echo {quote(told)}; {install}; }}"
    )
