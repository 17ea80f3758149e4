"""Finding the application in Python source, without running it."""

import pytest

from perron.builds.model import python_apps
from perron.builds.model.python_apps import WebApp

FOUND = {
    "from flask import Flask\napp = Flask(__name__)": WebApp("app", "Flask", "wsgi"),
    "import flask\nserver: object = flask.Flask('x')": WebApp("server", "Flask", "wsgi"),
    "import flask as f\na = f.Flask('x')": WebApp("a", "Flask", "wsgi"),
    "from fastapi import FastAPI as F\napi = F()": WebApp("api", "FastAPI", "asgi"),
    "import starlette.applications\nfrom starlette.applications import Starlette\nx=Starlette()": (
        WebApp("x", "Starlette", "asgi")
    ),
    "from flask import Flask\ntry:\n    app = Flask('x')\nexcept E:\n    pass": (
        WebApp("app", "Flask", "wsgi")
    ),
    "from dash import Dash\napp = Dash()": WebApp("app.server", "Dash", "wsgi"),
    "def application(environ, start_response): ...": WebApp("application", "WSGI", "wsgi"),
    "async def app(scope, receive, send): ...": WebApp("app", "ASGI", "asgi"),
    "from flask import Flask\ndef create_app(config=None):\n    return Flask('x')": (
        WebApp("create_app", "Flask", "wsgi", factory=True)
    ),
    "def create_app():\n    from quart import Quart\n    return Quart('x')": (
        WebApp("create_app", "Quart", "asgi", factory=True)
    ),
    "from flask import Flask\nadmin = Flask('a')\napp = Flask('b')": WebApp("app", "Flask", "wsgi"),
    "from pyramid.config import Configurator\nc = Configurator()\napp = c.make_wsgi_app()": (
        WebApp("app", "Pyramid", "wsgi")
    ),
}
NONE = [
    "",
    "this is not python (",
    "app = Flask()",
    "from mine import Flask\napp = Flask()",
    "from flask import Flask\ndef create_app(config):\n    return Flask('x')",
    "def f():\n    from flask import Flask\n    app = Flask('x')",
    "(" * 5000,
    "app = 1\x00",
]


@pytest.mark.parametrize("text", FOUND)
def test_the_application_is_found(text):
    assert python_apps.find(text) == FOUND[text]


@pytest.mark.parametrize("text", NONE)
def test_nothing_is_found_where_nothing_is_sure(text):
    assert python_apps.find(text) is None


def test_a_setting_given_to_the_environment_is_read():
    text = "import os\ndef main():\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'a.b')"
    assert python_apps.literal(text, "DJANGO_SETTINGS_MODULE") == "a.b"
    assert python_apps.literal("X = 'y'", "X") == "y"
    assert python_apps.literal("X = y(", "X") is None
