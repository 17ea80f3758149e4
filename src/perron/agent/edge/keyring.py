"""Which certificates lie on disk, and how they come into force without a reload."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from perron.kit.files import private_folder, write_whole
from perron.kit.settings import Home, Settings

from . import admin
from .certificates import Authority, is_fresh
from .model import Backend

log = logging.getLogger(__name__)
Shape = tuple[object, ...]


class Keyring:
    """The certificates of one edge: the default, those given, and our own for the rest.

    A wildcard under ``localhost`` is refused by most clients, so that every environment has a
    certificate with its exact hosts.
    """

    def __init__(self, home: Home, settings: Settings, crt_list: Path) -> None:
        self._authority = Authority(home.keys)
        self._folder = private_folder(home.edge / "certs")
        self._settings = settings
        self._list = crt_list
        self._doubt = home.edge / "certs.doubt"
        self._shown: Shape = ()

    async def show(self, socket: Path, backends: Sequence[Backend]) -> None:
        """Let HAProxy show what these need; nothing is done where that was told already."""
        if self._shape(backends) != self._shown or self.in_doubt():
            wanted = self.wanted(backends)
            await self.tell(socket, wanted, set(self.write(wanted)))
            self._shown = self._shape(backends)

    def look_again(self) -> None:
        """Have the next ``show`` look at every certificate: some may have grown old."""
        self._shown = ()

    def prepare(self) -> None:
        """Make sure that HAProxy can start: what it is told to show is there."""
        listed = (_read(self._list) or "").split()
        if not listed or not all(Path(path).exists() for path in listed):
            self.write(self.wanted(()))

    def wanted(self, backends: Sequence[Backend]) -> dict[Path, str]:
        """Return every certificate that shall be shown; the default comes first."""
        apps = self._settings.apps_domain
        hosts = (self._settings.domain, apps, f"*.{apps}")
        found = {self._folder / "default.pem": self._own(self._folder / "default.pem", hosts)}
        for each in backends:
            given = [one for one in each.certificates if _is_sound(one.pem, one.host)]
            for one in given:
                found[self._folder / f"given-{quote(one.host, safe='')}.pem"] = _tidy(one.pem)
            rest = sorted(set(each.hosts) - {one.host for one in given})
            if rest:
                path = self._folder / f"{quote(each.environment, safe='')}.pem"
                found[path] = self._own(path, rest)
        return found

    def write(self, wanted: Mapping[Path, str]) -> dict[Path, str]:
        """Put them on disk, and return those that were not there like this."""
        changed = {path: pem for path, pem in wanted.items() if _read(path) != pem}
        text = "".join(f"{path}\n" for path in wanted)
        if changed or _read(self._list) != text:
            write_whole(self._doubt, "")  # until HAProxy has heard of it
            for path, pem in changed.items():
                write_whole(path, pem)
            write_whole(self._list, text)
        return changed

    async def tell(self, socket: Path, wanted: Mapping[Path, str], changed: set[Path]) -> None:
        """Let HAProxy show exactly these certificates, at once."""
        if not self._doubt.exists():
            return
        listed = await self._listed(socket)
        for path, pem in wanted.items():
            if path in changed or path not in listed:
                await self._show(socket, path, pem, is_new=path not in listed)
        for path in listed - set(wanted):
            await admin.ask(socket, f"del ssl crt-list {self._list} {path}")
            await admin.ask(socket, f"del ssl cert {path}")
        self.settled()

    def in_doubt(self) -> bool:
        """Say whether HAProxy may not have heard of what lies on disk."""
        return self._doubt.exists()

    def settled(self) -> None:
        """Say that HAProxy shows what is listed on disk; nothing else is kept."""
        listed = (_read(self._list) or "").split()
        for path in self._folder.iterdir():
            if str(path) not in listed:
                path.unlink(missing_ok=True)
        self._doubt.unlink(missing_ok=True)

    def _shape(self, backends: Sequence[Backend]) -> Shape:
        """Return all that decides what is shown, and when a file of it last came or went."""
        each = tuple((one.environment, one.hosts, one.certificates) for one in backends)
        return (self._folder.stat().st_mtime_ns, *each)

    def _own(self, path: Path, hosts: Sequence[str]) -> str:
        kept = _read(path)
        if kept and is_fresh(kept, hosts):
            return kept
        return _tidy(self._authority.issue(hosts))

    async def _listed(self, socket: Path) -> set[Path]:
        answer = await admin.ask(socket, f"show ssl crt-list {self._list}")
        return {Path(line) for line in answer.split("\n") if line.startswith("/")}

    async def _show(self, socket: Path, path: Path, pem: str, *, is_new: bool) -> None:
        if is_new:
            await admin.ask(socket, f"new ssl cert {path}")
        await admin.ask(socket, f"set ssl cert {path}", payload=pem)
        answer = await admin.ask(socket, f"commit ssl cert {path}")
        if "Success" not in answer:
            raise admin.EdgeRefused(f"The edge refused the certificate {path.name}: {answer}")
        if is_new:
            await admin.ask(socket, f"add ssl crt-list {self._list} {path}")


def _is_sound(pem: str, host: str) -> bool:
    """Say whether certificate and key belong together: one bad pair must not stop the edge."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        log.warning("The certificate given for %s cannot be read; the internal CA's is used.", host)
        return False
    return certificate.public_key() == key.public_key()


def _tidy(pem: str) -> str:
    """Leave empty lines out: one would end what the admin socket reads."""
    return "".join(f"{line.strip()}\n" for line in pem.splitlines() if line.strip())


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
