"""Recognises Python projects: Django, Flask, FastAPI and other WSGI and ASGI applications."""

import posixpath
import re
from dataclasses import replace
from shlex import quote
from typing import ClassVar

from perron.builds.model import (
    django,
    django_files,
    python_apps,
    python_layer,
    requirements,
    versions,
)
from perron.builds.model.detected import BuildRefused, Found
from perron.builds.model.django import DjangoSite
from perron.builds.model.python_apps import WebApp
from perron.builds.model.python_layer import SERVERS, Dependencies
from perron.builds.model.shell import with_interpreter, with_steps
from perron.builds.ports import Project
from perron.contract.node import BuildPlan, BuildStep, Interpreter

_TELLTALE = ("uv.lock", "pyproject.toml", "setup.py", "Pipfile", *python_layer.REQUIREMENTS)
_FIRST = ("app", "main", "application", "server", "api", "asgi", "wsgi", "run", "index")
_GUNICORN = "--bind 127.0.0.1:$PORT --threads 4 --keep-alive 75 --worker-tmp-dir /dev/shm"
_UVICORN = "--host 127.0.0.1 --port $PORT --timeout-keep-alive 75"


class PythonDetector:
    """Python, by its dependency files or its own files."""

    name: ClassVar[str] = "python"
    order: ClassVar[int] = 10
    version: ClassVar[int] = 1
    looks_for: ClassVar[str] = "requirements.txt, pyproject.toml, uv.lock, manage.py or *.py"

    def detect(self, project: Project) -> Found | None:
        """Return how to build a Python project, None when it is none."""
        reason = _reason(project)
        if reason is None:
            return None
        python = _interpreter(project)
        uv = project.tools.uv
        told = python_layer.find(project.read, project.files, uv=uv, source=project.source)
        site = _django(project)
        web = _web(project, site, told)
        if site:
            django.check_data(site)
        return _found(project, reason, python, told, site, web)


def _found(
    project: Project,
    reason: str,
    python: Interpreter,
    told: Dependencies | None,
    site: DjangoSite | None,
    web: WebApp | None,
) -> Found:
    wrapped = bool(site and web and site.collects and not site.serves_static)
    servers = _servers(project, web, wrapped=wrapped)
    uv = project.tools.uv
    layer = python_layer.layer(told, python, servers, uv=uv)
    plan = BuildPlan(
        layer=layer, read=[uv] if layer else [], path=["/app/.venv/bin"] if layer else []
    )
    plan = with_interpreter(plan, python)
    compiling = _compile(".venv/bin/python" if layer else quote(python.path))
    plan = with_steps(plan, *_steps(project, site, wrapped=wrapped), compiling)
    commands = {"web": _command(web, site, wrapped=wrapped)} if web else {}
    notes = [f"Python {python.version} ({python.source})", *(told.notes if told else ())]
    notes += _notes(project, told, servers, web, site, wrapped=wrapped)
    return Found(f"{reason}{_framework(web)}", plan, commands, tuple(notes), python)


def _reason(project: Project) -> str | None:
    """Say by which file a Python project was recognised."""
    manage = _manage(project)
    for name in (*_TELLTALE, *([manage] if manage else [])):
        if project.has(name):
            return f"Python, because of {name}"
    loose = sorted(name for name in project.files if name.endswith(".py") and "/" not in name)
    if loose and not project.has("package.json"):
        return f"Python, because of {loose[0]}"
    return None


def _interpreter(project: Project) -> Interpreter:
    wanted, said_by = _wanted(project)
    return versions.choose("python", wanted, said_by, project.interpreters)


def _wanted(project: Project) -> tuple[str | None, str]:
    """Return which Python the project asks for, and where it says so."""
    if project.app_file.build.python:
        return project.app_file.build.python, "perron.toml"
    for name in (".python-version", "runtime.txt"):
        lines = [
            line.strip().removeprefix("python-").strip()
            for line in (project.read(name) or "").splitlines()
            if line.strip() and not line.strip().startswith("#")
        ]
        if lines:
            return lines[0], name
    text = project.read("pyproject.toml")
    told = requirements.project(text).get("project", {}).get("requires-python") if text else None
    return (str(told), "pyproject.toml") if told else (None, "This project")


def _manage(project: Project) -> str | None:
    found = [name for name in project.files if posixpath.basename(name) == "manage.py"]
    near = sorted((name for name in found if name.count("/") <= 1), key=lambda n: n.count("/"))
    return near[0] if near else None


def _django(project: Project) -> DjangoSite | None:
    manage = _manage(project)
    text = project.read(manage) if manage else None
    if not manage or "django" not in (text or "").lower():
        return None
    return django.find(manage, project.read)


def _web(project: Project, site: DjangoSite | None, told: Dependencies | None) -> WebApp | None:
    """Guess what ``web`` runs, if nobody has said."""
    if not project.needs_web or project.app_file.build.publish:
        return None
    if told is None and site:
        raise BuildRefused(
            "manage.py uses Django, but nothing lists it. Add requirements.txt with: django"
        )
    if site:
        return WebApp(site.application, "Django", "wsgi")
    found = _application(project)
    if found and told is None and found.framework not in ("WSGI", "ASGI"):
        package = found.framework.lower()
        raise BuildRefused(
            f"{found.name.split(':')[0]} uses {found.framework}, but nothing lists it. "
            f"Add requirements.txt with: {package}"
        )
    return found


def _application(project: Project) -> WebApp | None:
    """Return the first application found, with its module; a ready one before a factory."""
    found: list[WebApp] = []
    for name in _candidates(project):
        app = python_apps.find(project.read(name) or "")
        if app:
            folder = "src" if name.startswith("src/") else ""
            found.append(replace(app, name=f"{_module(name)}:{app.name}", folder=folder))
            if not app.factory:
                break
    return min(found, key=lambda app: app.factory, default=None)


def _candidates(project: Project) -> list[str]:
    """Return the files an application may be in, the likeliest first, at most forty."""
    names = [name for name in project.files if name.endswith(".py") and _may_hold_app(name)]
    return sorted(names, key=_likelihood)[:40]


def _may_hold_app(name: str) -> bool:
    parts = name.removeprefix("src/").split("/")
    skipped = {"tests", "test", "docs", "examples", "scripts", "migrations", "alembic"}
    identifiers = all(re.fullmatch(r"[A-Za-z_]\w*", part.removesuffix(".py")) for part in parts)
    return len(parts) <= 2 and identifiers and not skipped & set(parts)


def _likelihood(name: str) -> tuple[int, int, str]:
    stem = posixpath.basename(name).removesuffix(".py")
    stem = "app" if stem == "__init__" else stem
    rank = _FIRST.index(stem) if stem in _FIRST else len(_FIRST)
    return (name.removeprefix("src/").count("/"), rank, name)


def _module(name: str) -> str:
    return name.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _servers(project: Project, web: WebApp | None, *, wrapped: bool) -> list[str]:
    """Return the servers that must be there: for our own command, or the one a Procfile names."""
    if web:
        return [_server(web), *(["whitenoise"] if wrapped else [])]
    told = project.app_file.processes.get("web", {}).get("command") or project.procfile.get("web")
    first = (told or "").split()[:1]
    return [name for name in first if name in SERVERS]


def _server(web: WebApp) -> str:
    return "uvicorn" if web.kind == "asgi" else "gunicorn"


def _command(web: WebApp, site: DjangoSite | None, *, wrapped: bool) -> str:
    if wrapped:
        return f"gunicorn --pythonpath /app/.perron {_GUNICORN} perron_web:application"
    folder = web.folder or (site.folder if site else "")
    if web.kind == "asgi":
        options = f"{'--factory ' if web.factory else ''}{f'--app-dir {folder} ' if folder else ''}"
        return f"uvicorn {options}{_UVICORN} {web.name}"
    return f"gunicorn{f' --pythonpath {folder}' if folder else ''} {_GUNICORN} {_quoted(web)}"


def _quoted(web: WebApp) -> str:
    return f"'{web.name}()'" if web.factory else web.name


def _steps(project: Project, site: DjangoSite | None, *, wrapped: bool) -> list[BuildStep]:
    if project.app_file.build.command:
        command = project.app_file.build.command
        steps = [BuildStep(title=f"Building: {command[:60]}", command=command)]
        return [*steps, *([django_files.wrapper(site)] if site and wrapped else [])]
    if not site or not site.collects:
        return []
    written = [django_files.wrapper(site)] if wrapped else []
    if not wrapped and not site.text_of("STATIC_ROOT") and "STATIC_ROOT" not in site.settings:
        return []
    return [*written, django_files.collect(site, wrapped=wrapped)]


def _compile(python: str) -> BuildStep:
    """Return the step that byte-compiles the source; a file that does not parse is left as it is.

    Unchecked, because nothing may write to a build and its files' times mean nothing.
    """
    options = "-q --invalidation-mode unchecked-hash -x '/(\\.venv|node_modules|\\.git)/'"
    return BuildStep(
        title="Compiling Python to byte code",
        command=f"{python} -m compileall {options} . >/dev/null || true",
    )


def _notes(
    project: Project,
    told: Dependencies | None,
    servers: list[str],
    web: WebApp | None,
    site: DjangoSite | None,
    *,
    wrapped: bool,
) -> list[str]:
    declared = told.declared if told else frozenset()
    notes = [
        f"{name} is added ({' '.join(SERVERS[name])}): nothing lists it"
        for name in servers
        if name not in declared
    ]
    if wrapped:
        notes.append("WhiteNoise serves static files: nothing else in the project does")
    if site and not web and site.collects and not site.serves_static:
        notes.append("Nothing serves Django's static files: add WhiteNoise to MIDDLEWARE")
    if project.has("package.json"):
        notes.append("package.json is left alone; to build it too: [build] command in perron.toml")
    return notes


def _framework(web: WebApp | None) -> str:
    return f"; {web.framework} at {web.name}" if web else ""
