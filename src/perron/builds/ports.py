"""What a detector is: the socket that plug-ins under ``perron.detectors`` fit into."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import ClassVar, Protocol

from perron.contract.node import Interpreter

from .model.detected import Found
from .model.manifest import AppFile


@dataclass(frozen=True)
class Tools:
    """Programs of the platform that builds or instances use, as paths on this machine."""

    uv: str = "uv"
    nginx: str = "nginx"


@dataclass
class Project:
    """A source as detectors see it: relative to its root, with what perron.toml says.

    ``read`` gives a file's text, None where there is no such file. A file whose text was not
    sent is noted in ``wants`` and reads as empty, so that one pass learns of many.
    """

    files: frozenset[str]
    fetch_text: Callable[[str], str | None]
    root: str
    app_file: AppFile
    procfile: Mapping[str, str]
    interpreters: Sequence[Interpreter]
    tools: Tools
    source: str = ""
    wants: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Say whether there is such a file."""
        return name in self.files

    def read(self, name: str) -> str | None:
        """Return the text of a file below the root."""
        if name not in self.files:
            return None
        path = normpath(join(self.root, name))
        text = self.fetch_text(path)
        if text is None:
            self.wants.append(path)
            return ""
        return text

    @property
    def has_web(self) -> bool:
        """Say whether somebody already said what ``web`` runs."""
        told = self.app_file.processes.get("web", {})
        return "command" in told or "web" in self.procfile

    @property
    def needs_web(self) -> bool:
        """Say whether a command for ``web`` must be guessed: a Procfile of workers needs none."""
        others = set(self.procfile) | set(self.app_file.processes)
        return not self.has_web and not (others - {"web", "release"})


class Detector(Protocol):
    """Recognises one kind of project; the one with the lowest ``order`` is asked first.

    ``version`` grows whenever the same source would be built in another way.
    """

    name: ClassVar[str]
    order: ClassVar[int]
    version: ClassVar[int]
    looks_for: ClassVar[str]

    def detect(self, project: Project) -> Found | None:
        """Return how to build and run the project, or None when it is of another kind."""
        ...
