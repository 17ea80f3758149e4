"""The victim's part, run inside: a secret in memory, file, environment and behind sockets."""

import os
import socket
import threading
import time
from pathlib import Path


def listening(family: int, address: object, *, share: bool = False) -> socket.socket:
    """Return a socket that listens there, and accepts Fast Open."""
    made = socket.socket(family)
    if share:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(address)
    if family == socket.AF_INET:
        made.setsockopt(socket.IPPROTO_TCP, 23, 5)
    made.listen(20)
    return made


def answer(listener: socket.socket) -> None:
    """Say hello to everybody, for as long as we live."""

    def loop() -> None:
        while True:
            if listener.type == socket.SOCK_DGRAM:
                listener.sendto(b"hello", listener.recvfrom(20)[1])
            else:
                with listener.accept()[0] as made:
                    made.send(b"hello")

    threading.Thread(target=loop, daemon=True).start()


def main() -> None:
    """Serve until killed."""
    data = Path("/data")
    (data / "secret").write_text(os.environ["SECRET"])
    here = ("127.0.0.1", int(os.environ["PORT"]))
    answer(listening(socket.AF_INET, here, share=True))
    answer(listening(socket.AF_UNIX, "/data/socket"))
    answer(listening(socket.AF_UNIX, "\0" + os.environ["ABSTRACT"]))
    (data / "socket").chmod(0o777)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(here)
    answer(datagrams)
    print("ready", flush=True)
    time.sleep(300)


if __name__ == "__main__":
    main()
