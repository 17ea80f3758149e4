"""A page that counts its visits in this process, and shows which release serves it."""

import os
from itertools import count

from flask import Flask, jsonify

app = Flask(__name__)
visits = count(1)


@app.get("/")
def index():
    """Greet the visitor."""
    release = os.environ.get("PERRON_RELEASE", "none")
    return f"<h1>Flask on Perron</h1><p>Visit {next(visits)} of release {release}.</p>"


@app.get("/up")
def up():
    """Say that this instance is well."""
    return jsonify(status="up")
