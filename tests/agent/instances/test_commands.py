"""A signal reaches the app itself, whatever its command line looks like."""

import pytest

from perron.agent.instances.commands import command_line


@pytest.mark.parametrize(
    ("command", "run"),
    [
        ("gunicorn app:app", "exec gunicorn app:app"),
        ("gunicorn --bind 0.0.0.0:${PORT} app:app", "exec gunicorn --bind 0.0.0.0:${PORT} app:app"),
        ("cd site && gunicorn app", "cd site && exec gunicorn app"),
        ("python prepare.py; node server.js", "python prepare.py; exec node server.js"),
        ("node a.js 2>&1", "exec node a.js 2>&1"),
        ("node 'a && b' \"c; d\"", "exec node 'a && b' \"c; d\""),
        ("python app.py | tee log", "python app.py | tee log"),
        ("worker & web", "worker & web"),
        ("a || b", "a || b"),
        ("WORD=1 python app.py", "WORD=1 python app.py"),
        ("while true; do sleep 1; done", "while true; do sleep 1; done"),
        ("if a; then b; fi", "if a; then b; fi"),
        ("exec python app.py", "exec python app.py"),
        ("(cd a; b)", "(cd a; b)"),
        ("cd a; if b; then c; fi", "cd a; if b; then c; fi"),
        ("serve() { node a.js; }; serve", "serve() { node a.js; }; serve"),
        ("cd a && (b; c)", "cd a && (b; exec c)"),
        ("", ""),
    ],
)
def test_the_last_plain_command_replaces_its_shell(command: str, run: str) -> None:
    assert command_line(command) == ["sh", "-c", run]
