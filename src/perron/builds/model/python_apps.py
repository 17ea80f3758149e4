"""Finds the web application in Python source by reading it, never by running it."""

import ast
from dataclasses import dataclass
from typing import Literal

Kind = Literal["wsgi", "asgi"]

CLASSES: dict[str, tuple[str, Kind]] = {
    "flask.Flask": ("Flask", "wsgi"),
    "apiflask.APIFlask": ("APIFlask", "wsgi"),
    "bottle.Bottle": ("Bottle", "wsgi"),
    "bottle.default_app": ("Bottle", "wsgi"),
    "falcon.App": ("Falcon", "wsgi"),
    "falcon.API": ("Falcon", "wsgi"),
    "pypiserver.app": ("pypiserver", "wsgi"),
    "werkzeug.wrappers.Request.application": ("Werkzeug", "wsgi"),
    "django.core.wsgi.get_wsgi_application": ("Django", "wsgi"),
    "fastapi.FastAPI": ("FastAPI", "asgi"),
    "starlette.applications.Starlette": ("Starlette", "asgi"),
    "quart.Quart": ("Quart", "asgi"),
    "litestar.Litestar": ("Litestar", "asgi"),
    "falcon.asgi.App": ("Falcon", "asgi"),
    "connexion.AsyncApp": ("Connexion", "asgi"),
    "blacksheep.Application": ("BlackSheep", "asgi"),
    "robyn.Robyn": ("Robyn", "asgi"),
    "socketio.ASGIApp": ("Socket.IO", "asgi"),
    "django.core.asgi.get_asgi_application": ("Django", "asgi"),
}
ATTRIBUTES: dict[str, tuple[str, str, Kind]] = {
    "dash.Dash": ("Dash", "server", "wsgi"),
    "connexion.FlaskApp": ("Connexion", "app", "wsgi"),
}
METHODS = {"make_wsgi_app": ("Pyramid", "wsgi")}
PREFERRED = ("application", "app", "api", "asgi", "wsgi", "server")
FACTORIES = ("create_app", "make_app", "build_app", "get_app", "create_application")


@dataclass(frozen=True)
class WebApp:
    """A web application: what it is called, what serves it, and the folder to import it from."""

    name: str
    framework: str
    kind: Kind
    factory: bool = False
    folder: str = ""


def find(text: str) -> WebApp | None:
    """Return the application a file offers at its top level, the best-named one first."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    imports = _imports(tree)
    apps = [app for node in _top_level(tree) if (app := _offered(node, imports))]
    apps.sort(key=lambda app: (app.factory, _rank(app.name)))
    return apps[0] if apps else None


def literal(text: str, name: str) -> str | None:
    """Return a text that a file assigns to ``name``, or gives to ``setdefault(name, …)``."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_setdefault(node, name):
            return _text(node.args[1])
        if isinstance(node, ast.Assign) and _assigns(node, name):
            return _text(node.value)
    return None


def _top_level(tree: ast.Module) -> list[ast.stmt]:
    """Return top-level statements, those inside ``if`` and ``try`` included."""
    found: list[ast.stmt] = []
    for node in tree.body:
        found.append(node)
        if isinstance(node, ast.If | ast.Try):
            found.extend(node.body)
            found.extend(node.orelse)
    return found


def _imports(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for."""
    names: dict[str, str] = {}
    for node in _top_level(tree):
        if isinstance(node, ast.Import):
            names |= {each.asname or each.name: each.name for each in node.names}
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return names


def _offered(node: ast.stmt, imports: dict[str, str]) -> WebApp | None:
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return _assigned(target.id, node.value, imports) if isinstance(target, ast.Name) else None
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return _callable(node) or _factory(node, imports)
    return None


def _assigned(name: str, value: ast.expr, imports: dict[str, str]) -> WebApp | None:
    if not isinstance(value, ast.Call):
        return None
    if isinstance(value.func, ast.Attribute) and value.func.attr in METHODS:
        return WebApp(name, METHODS[value.func.attr][0], "wsgi")
    path = _path(value.func, imports)
    if path in ATTRIBUTES:
        framework, attribute, kind = ATTRIBUTES[path]
        return WebApp(f"{name}.{attribute}", framework, kind)
    if path in CLASSES:
        return WebApp(name, *CLASSES[path])
    return None


def _callable(node: ast.FunctionDef | ast.AsyncFunctionDef) -> WebApp | None:
    names = [each.arg for each in node.args.args]
    if isinstance(node, ast.AsyncFunctionDef):
        return WebApp(node.name, "ASGI", "asgi") if names == ["scope", "receive", "send"] else None
    if len(names) == 2 and names[1] in ("start_response", "start_fn"):
        return WebApp(node.name, "WSGI", "wsgi")
    return None


def _factory(
    node: ast.FunctionDef | ast.AsyncFunctionDef, imports: dict[str, str]
) -> WebApp | None:
    """Recognise ``def create_app()`` that can be called without arguments."""
    needed = len(node.args.args) - len(node.args.defaults)
    if node.name not in FACTORIES or needed or isinstance(node, ast.AsyncFunctionDef):
        return None
    inside = imports | _imports(ast.Module(body=node.body, type_ignores=[]))
    for call in ast.walk(node):
        path = _path(call.func, inside) if isinstance(call, ast.Call) else ""
        if path in CLASSES:
            framework, kind = CLASSES[path]
            return WebApp(node.name, framework, kind, factory=True)
    return None


def _path(node: ast.expr, imports: dict[str, str]) -> str:
    """Return the full name of what is called, such as ``flask.Flask``."""
    if isinstance(node, ast.Name):
        return imports.get(node.id, "")
    if isinstance(node, ast.Attribute):
        before = _path(node.value, imports)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _rank(name: str) -> int:
    return PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)


def _is_setdefault(node: ast.Call, name: str) -> bool:
    named = isinstance(node.func, ast.Attribute) and node.func.attr == "setdefault"
    return named and len(node.args) == 2 and _text(node.args[0]) == name


def _assigns(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
