"""Reads a Django project's settings, and refuses data that the next deploy would wipe."""

import ast
import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from .detected import BuildRefused
from .python_apps import literal

Read = Callable[[str], str | None]
_ASKS_ELSEWHERE = ("environ", "getenv", "env", "config", "dj_database_url", "decouple")


@dataclass(frozen=True)
class Setting:
    """What a setting is set to, and where."""

    value: ast.expr
    file: str
    line: int


@dataclass(frozen=True)
class DjangoSite:
    """A Django project: its folder, its settings module and what they say."""

    folder: str
    module: str
    settings: dict[str, Setting]
    text: str

    def text_of(self, name: str) -> str | None:
        """Return a setting that is a plain text."""
        setting = self.settings.get(name)
        return _text(setting.value) if setting else None

    @property
    def application(self) -> str:
        """The WSGI application as gunicorn wants it."""
        named = self.text_of("WSGI_APPLICATION") or f"{self.module.split('.')[0]}.wsgi.application"
        module, _, name = named.rpartition(".")
        return f"{module}:{name}"

    @property
    def collects(self) -> bool:
        """Say whether collectstatic has something to collect."""
        return "django.contrib.staticfiles" in self.text

    @property
    def serves_static(self) -> bool:
        """Say whether the project serves its static files, or keeps them elsewhere."""
        return any(word in self.text.lower() for word in ("whitenoise", "storages.backends"))


def find(manage: str, read: Read) -> DjangoSite:
    """Read the project whose ``manage.py`` is given."""
    folder = posixpath.dirname(manage)
    module = literal(read(manage) or "", "DJANGO_SETTINGS_MODULE")
    if not module:
        raise BuildRefused(f"{manage} names no DJANGO_SETTINGS_MODULE; add a Procfile with web:.")
    settings: dict[str, Setting] = {}
    texts: list[str] = []
    _follow(posixpath.join(folder, *module.split(".")), read, settings, texts, depth=0)
    return DjangoSite(folder, module, settings, "\n".join(texts))


def check_data(site: DjangoSite) -> None:
    """Refuse a database or uploads inside the source: every release begins with fresh files."""
    database = site.settings.get("DATABASES")
    media = site.settings.get("MEDIA_ROOT")
    bad_database = database if database and _sqlite_inside(database.value) else None
    bad_media = media if media and _inside(media.value) else None
    if bad_database or bad_media:
        raise BuildRefused(_advice(bad_database, bad_media))


def _advice(database: Setting | None, media: Setting | None) -> str:
    wrong, lines = [], []
    if database:
        wrong.append(f"{database.file}, line {database.line}, keeps the database")
        engine = '"ENGINE": "django.db.backends.sqlite3", "NAME": "/data/db.sqlite3"'
        lines.append(f'DATABASES = {{"default": {{{engine}}}}}')
    if media:
        where = f"{media.file}, line {media.line}, keeps" if not database else "and"
        wrong.append(f"{where} uploaded files")
        lines.append('MEDIA_ROOT = "/data/media"')
    file = (database or media or Setting(ast.Constant(""), "settings.py", 0)).file
    return "\n".join(
        [
            f"{' '.join(wrong)} in the source folder, which each release replaces and nothing "
            f"may write to. In {file}, write:",
            *(f"    {line}" for line in lines),
            "and in perron.toml:",
            "    [volumes.data]",
            '    mount = "/data"',
            '    size = "2G"',
            "and in Procfile:",
            "    release: python manage.py migrate",
        ]
    )


def _follow(
    path: str, read: Read, settings: dict[str, Setting], texts: list[str], *, depth: int
) -> None:
    """Read a settings module and, first, those it takes everything from."""
    file = f"{path}.py"
    text = read(file)
    if text is None:
        file = f"{path}/__init__.py"
        text = read(file)
    if not text or depth > 5:
        return
    texts.append(text)
    for node in _statements(text):
        if isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names):
            _follow(_imported(node, path, file), read, settings, texts, depth=depth + 1)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    settings[target.id] = Setting(node.value, file, node.lineno)


def _statements(text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _imported(node: ast.ImportFrom, path: str, file: str) -> str:
    """Return the path of the module that ``from … import *`` names."""
    parts = (node.module or "").split(".")
    if not node.level:
        top = path.split("/")
        root = top.index(parts[0]) if parts[0] in top else 0
        return posixpath.join(*top[:root], *parts) if root else posixpath.join(*parts)
    start = path if file.endswith("/__init__.py") else posixpath.dirname(path)
    for _ in range(node.level - 1):
        start = posixpath.dirname(start)
    return posixpath.join(start, *[part for part in parts if part])


def _sqlite_inside(value: ast.expr) -> bool:
    """Say whether any database is an SQLite file inside the source."""
    if not isinstance(value, ast.Dict):
        return False
    for each in value.values:
        if isinstance(each, ast.Dict):
            entries = {
                key.value: item
                for key, item in zip(each.keys, each.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            engine = entries.get("ENGINE")
            if engine and "sqlite3" in ast.unparse(engine) and "NAME" in entries:
                return _inside(entries["NAME"])
    return False


def _inside(value: ast.expr) -> bool:
    """Say whether a path lies in the source: no absolute text in it, and nobody else is asked."""
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(value) if isinstance(node, ast.Attribute)}
    if names & set(_ASKS_ELSEWHERE):
        return False
    texts = [text for node in ast.walk(value) if (text := _text(node)) is not None]
    if any(text.startswith("/") or ":memory:" in text for text in texts):
        return False
    return bool(names or any(texts))


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
