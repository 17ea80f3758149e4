"""What real programs say when the sandbox refuses them is what the log explains."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from perron.agent.logs.refusals import Refusals

PYTHON = """
import socket, traceback, asyncio, urllib.request
def attempt(do):
    try: do()
    except Exception: traceback.print_exc()
attempt(lambda: open('/app/db.sqlite3', 'w'))
attempt(lambda: asyncio.run(asyncio.open_connection('127.0.0.1', 5433)))
attempt(lambda: socket.create_connection(('127.0.0.1', 6390)))
attempt(lambda: urllib.request.urlopen('http://127.0.0.1:8079'))
"""
NODE = """
try { require('fs').writeFileSync('/app/out.json', '{}') } catch (why) { console.error(why) }
require('net').connect(5433, '127.0.0.1').on('error', (why) => console.error(why))
require('net').createServer().on('error', (why) => console.error(why)).listen(3999)
"""


def _said(place: Any, program: str, name: str, argv: list[str]) -> list[str]:
    spec = place.spec("a", memory=None)
    Path(spec.app, name).write_text(program)

    async def story() -> None:
        running = await place.sandboxes.start(spec, argv, {})
        await running.wait()

    place.run(story)
    found = Refusals().look(place.output(spec).encode())
    assert found, place.output(spec)
    return found


def test_python_is_understood(place: Any) -> None:
    said = _said(place, PYTHON, "app.py", ["/usr/bin/python3", "app.py"])
    assert said[0].startswith("/app/db.sqlite3 could not be written")
    assert "connect = [PORT]" in said[1]  # Python itself names no port


@pytest.mark.skipif(not shutil.which("node"), reason="no Node here")
def test_node_is_understood(place: Any) -> None:
    said = _said(place, NODE, "app.js", ["node", "app.js"])
    assert said[0].startswith("/app/out.json could not be written")
    assert any("connect = [5433]" in each for each in said)
    assert any("the port in PORT" in each for each in said)
