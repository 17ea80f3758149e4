import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time

import pytest
from websockets.sync.server import unix_serve

from .conftest import BIN

SEEN = []


def command(socket):
    """Speak the contract of sessions: echo input, tell sizes, end when told to."""
    SEEN.append(("path", socket.request.path, socket.request.headers.get("authorization")))
    socket.send(b"ready$ ")
    for frame in socket:
        if isinstance(frame, bytes):
            SEEN.append(("input", frame))
            socket.send(b"[" + frame + b"]")
            if b"\x04" in frame or b"bye" in frame:
                socket.send(json.dumps({"exit": 7, "text": "exited with code 7"}))
                return
            continue
        told = json.loads(frame)
        SEEN.append(("told", told))
        if told.get("end_of_input"):
            socket.send(json.dumps({"exit": 3, "text": "exited with code 3"}))
            return
        if "signal" in told:
            socket.send(json.dumps({"exit": 130, "text": "INT"}))
            return


@pytest.fixture
def far(person):
    """A platform of which only the sessions are wanted."""
    SEEN.clear()
    path = str(person.home / "ws.sock")
    server = unix_serve(command, path, process_request=_refuse_strangers, compression=None)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    person.environment["PERRON_URL"] = f"unix://{path}"
    person.environment["PERRON_APP"] = "shop"
    yield person
    server.shutdown()


def _refuse_strangers(connection, request):
    if request.headers.get("authorization") == "Bearer good":
        return None
    answer = connection.respond(403, '{"type": "/v1/problems/Forbidden", "detail": "Not you."}')
    answer.headers["content-type"] = "application/problem+json"
    return answer


def test_piped_input_goes_through_and_the_exit_code_comes_back(far):
    done = far.perron("exec", "web.1", "--", "cat", "-n", input="hello")
    assert done.returncode == 3
    assert done.stdout == "ready$ [hello]"
    path = SEEN[0][1]
    assert path.startswith("/v1/apps/shop/environments/production/instances/web.1/exec?")
    assert "arg=cat&arg=-n&terminal=false" in path
    assert ("told", {"end_of_input": True}) in SEEN


def test_a_refused_session_is_told_in_words(far):
    far.environment["PERRON_TOKEN"] = "bad"
    done = far.perron("exec", "web.1", "--", "ls")
    assert done.returncode == 3
    assert "Not you." in done.stderr


def test_ctrl_c_without_a_terminal_reaches_the_command(far):
    typed = subprocess.Popen(
        [str(BIN / "perron"), "exec", "web.1", "--", "sleep", "9"], env=far.environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert typed.stdout.read(7) == b"ready$ "
    typed.send_signal(2)
    assert typed.wait(timeout=20) == 130
    assert ("told", {"signal": "INT"}) in SEEN


def test_a_terminal_is_lent_raw_resized_and_given_back(far):
    here, there = pty.openpty()
    fcntl.ioctl(here, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    before = termios.tcgetattr(there)
    typed = subprocess.Popen(
        [str(BIN / "perron"), "exec", "web.1", "--", "sh"], env=far.environment,
        stdin=there, stdout=there, stderr=there, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    read_until(here, b"ready$ ")
    wait_for(lambda: ("told", {"resize": [30, 100]}) in SEEN)
    os.write(here, b"\x03")
    wait_for(lambda: ("input", b"\x03") in SEEN)
    fcntl.ioctl(here, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    wait_for(lambda: ("told", {"resize": [40, 120]}) in SEEN)
    os.write(here, b"bye")
    assert typed.wait(timeout=20) == 7
    assert termios.tcgetattr(there)[:4] == before[:4]
    assert "rows=30&columns=100" in SEEN[0][1]
    os.close(here)
    os.close(there)


def test_a_person_is_asked_and_one_line_is_rewritten_at_most(person):
    step = {"name": "build", "state": "started", "started": "2026-11-21T10:23:41+00:00",
            "finished": None, "message": ""}  # fmt: skip
    person.world.events = [("step", step)]
    person.world.hang = True
    here, there = pty.openpty()
    typed = subprocess.Popen(
        [str(BIN / "perron"), "deploy", str(person.folder())],
        env=person.environment | {"TERM": "xterm"}, stdin=there, stdout=there, stderr=there,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    read_until(here, b"Create it? [Y/n] ")
    os.write(here, b"\n")
    said = read_until(here, b" 2.")
    assert b"\x1b[34m" in said
    assert len(re.findall(rb"\r\x1b\[2K", said)) >= 1
    os.write(here, b"\x03")
    rest = read_until(here, b"stops it.")
    assert b"Left. Release 1 goes on" in rest
    assert typed.wait(timeout=20) == 130
    os.close(here)
    os.close(there)


def read_until(descriptor, wanted, seconds=20):
    said, deadline = b"", time.monotonic() + seconds
    while wanted not in said:
        assert time.monotonic() < deadline, said
        if select.select([descriptor], [], [], 0.1)[0]:
            said += os.read(descriptor, 4096)
    return said


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, SEEN
        time.sleep(0.02)
