"""What the sandbox refused an app, read from the app's own words and explained once.

Pure: bytes in, sentences out. What an app says is hostile: it is looked at in a bounded way, and
only a file's name and a port's number are repeated.
"""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

_MARKS = (
    *(b"ead-only file system", b"EROFS", b"Errno 30]", b"readonly database"),
    *(b"ermission denied", b"EACCES", b"Errno 13]", b"Connect call failed", b"(13)", b'(13 "'),
)
_CONTEXT = 3  # lines before one that names no port, which may say that it was a connect
_EXPLAINED = 16  # sentences for one instance; more would be the app's own flood
_LOOKED_AT = 5_000  # marked lines in which nothing new was found, until we look no more
_LONGEST = 2_000

_READ_ONLY = re.compile(r"read-only file system|EROFS|\[Errno 30\]|readonly database", re.I)
_DENIED = re.compile(r'permission denied|EACCES|\[?Errno 13\]?|Error 13 |\(13(?: ".*)?\)', re.I)
_FILE = re.compile(r"""['"](/?[\w.@%+=:,~/ -]{1,200})['"]|(/[\w.@%+=,~/-]{1,200})""")
_APP_FILE = re.compile(r"""['" ](/app(?:/[\w.@%+=:,~ -]{1,100})+)""")
_LISTEN = re.compile(r"\blisten|\bbind", re.I)
_CONNECT = re.compile(r"connect|dial tcp|\bport\b|Max retries exceeded", re.I)
_PORT = re.compile(
    r"""\bport[=:\s'"]+(\d{1,5})\b                     # libpq, urllib3, curl, Node's own fields
    | \(\s*['"][^'"]{1,200}['"],\s*(\d{1,5})\b          # asyncio: ('127.0.0.1', 5433)
    | [\w.\]-]:(\d{1,5})\b                              # Node, Go, Java, redis: host:5433""",
    re.I | re.X,
)


@dataclass
class Refusals:
    """What was explained to one instance.

    ``closed``: ports that no list opens. ``usual``: ports that are open to every app.
    """

    closed: Container[int] = ()
    usual: Sequence[int] = ()
    told: set[str] = field(default_factory=set)
    left: int = _LOOKED_AT

    def look(self, data: bytes) -> list[str]:
        """Return a sentence for each refusal in these lines that was not explained yet."""
        if self.left <= 0 or not any(mark in data for mark in _MARKS):
            return []
        found = []
        for line, before in _marked(data):
            self.left -= 1
            if self.left <= 0 or len(self.told) >= _EXPLAINED:
                break
            if (said := self._explain(line, before)) and said[0] not in self.told:
                self.told.add(said[0])
                found.append(said[1])
        return found

    def _explain(self, line: str, before: str) -> tuple[str, str] | None:
        """Return what a line is about, and the sentence for it."""
        if _READ_ONLY.search(line):
            return "file", _about_file(_file_in(line))
        if not _DENIED.search(line) and "Connect call failed" not in line:
            return None
        if file := _APP_FILE.search(line):
            return "file", _about_file(file[1])
        if _LISTEN.search(line):
            return "listen", _LISTENING
        if _CONNECT.search(line):
            return self._about_port(_port_in(line))
        if line.rstrip().endswith("[Errno 13] Permission denied") and _CONNECT.search(before):
            return self._about_port(None)
        return None

    def _about_port(self, port: int | None) -> tuple[str, str]:
        if port is None:
            return "port", (
                f"a connection was refused by the platform{self._open()}; add its port in "
                "perron.toml: [network] connect = [PORT]"
            )
        if port in self.closed:
            return f"port {port}", (
                f"connect to port {port} is refused by the platform: it belongs to apps, which "
                "reach each other by their URLs alone"
            )
        return f"port {port}", (
            f"connect to port {port} is refused by the platform; add it: "
            f"[network] connect = [{port}] in perron.toml"
        )

    def _open(self) -> str:
        if not self.usual:
            return ""
        return (
            f", whose port the error does not name. Open are {', '.join(map(str, self.usual))} "
            "and what perron.toml adds"
        )


_LISTENING = (
    "listening on that port is refused by the platform: "
    "an app listens on the port in PORT, on 127.0.0.1 or every address"
)


def _about_file(file: str) -> str:
    return (
        f"{file or 'a file'} could not be written: only /tmp and HOME (bounded, and gone with the "
        "instance) and volumes can be. For files that stay: "
        "perron volumes create data --mount /data --size 1G, and write to /data"
    )


def _marked(data: bytes) -> Iterator[tuple[str, str]]:
    """Give each line that may tell of a refusal, with the lines before it."""
    lines = data.split(b"\n")
    for at, line in enumerate(lines):
        if any(mark in line for mark in _MARKS):
            before = b"\n".join(lines[max(at - _CONTEXT, 0) : at])[-_LONGEST:]
            yield line[:_LONGEST].decode(errors="replace"), before.decode(errors="replace")


def _file_in(line: str) -> str:
    """Return the file a line names: the last one, for messages put the reason first."""
    names = [quoted or bare for quoted, bare in _FILE.findall(line)]
    return names[-1].strip() if names else ""


def _port_in(line: str) -> int | None:
    for groups in _PORT.findall(line):
        port = int(next(each for each in groups if each))
        if 0 < port < 65_536:
            return port
    return None
