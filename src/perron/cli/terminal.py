"""The person's own terminal, lent to a command far away."""

import fcntl
import os
import queue
import select
import signal
import struct
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from perron.client.sessions import Exit, Session

_CHUNK = 1 << 16


def size() -> tuple[int, int]:
    """Return rows and columns."""
    for stream in (sys.stdout, sys.stdin, sys.stderr):
        try:
            packed = fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
        except (OSError, ValueError):
            continue
        rows, columns, _x, _y = struct.unpack("HHHH", packed)
        if rows and columns:
            return rows, columns
    return 24, 80


@contextmanager
def raw() -> Iterator[None]:
    """Give every key to the command, and the terminal back at the end."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def lend(session: Session, *, terminal: bool) -> Exit:
    """Carry input, output, resizes and signals until the command ends."""
    over = Event()
    heard: queue.Queue[Exit | BaseException] = queue.Queue()
    with _signals(session, terminal=terminal):
        Thread(target=_show, args=(session, heard), daemon=True).start()
        Thread(target=_type, args=(session, over), daemon=True).start()
        try:
            return _ending(heard)
        finally:
            over.set()


def _ending(heard: "queue.Queue[Exit | BaseException]") -> Exit:
    while True:
        try:
            found = heard.get(timeout=0.5)  # so that signals are seen
        except queue.Empty:
            continue
        if isinstance(found, Exit):
            return found
        raise found


def _show(session: Session, heard: "queue.Queue[Exit | BaseException]") -> None:
    try:
        for piece in session.output():
            if isinstance(piece, Exit):
                heard.put(piece)
                return
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    except BaseException as why:  # told in the thread that waits
        heard.put(why)


def _type(session: Session, over: Event) -> None:
    """Send what is typed or piped; its end is told, so that the command sees one too."""
    descriptor = sys.stdin.fileno()
    try:
        while not over.is_set():
            if not select.select([descriptor], [], [], 0.2)[0]:
                continue
            data = os.read(descriptor, _CHUNK)
            if not data:
                session.end_of_input()
                return
            session.send(data)
    except Exception:  # the other thread tells how the session ended
        return


@contextmanager
def _signals(session: Session, *, terminal: bool) -> Iterator[None]:
    """Pass on what happens to us: a resize of the terminal; Ctrl C and TERM without one."""
    before = {}
    if terminal:
        session.resize(*size())
        before[signal.SIGWINCH] = signal.signal(
            signal.SIGWINCH, lambda *_told: session.resize(*size())
        )
    else:
        for number, name in ((signal.SIGINT, "INT"), (signal.SIGTERM, "TERM")):
            before[number] = signal.signal(number, lambda *_told, name=name: session.signal(name))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
