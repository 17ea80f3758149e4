"""Archives of strangers: read member by member, in bounded memory."""

import tarfile
from collections.abc import Iterator
from typing import Any

HEADER = 256 << 10  # bytes of one extra header: a long name, or extended attributes
HEADERS = 128 << 20  # bytes of all of them
_EXTRA = (b"x", b"g", b"X", b"L", b"K")


class CarefulTarInfo(tarfile.TarInfo):
    """A member whose extra headers cannot fill the memory: neither one, nor all together."""

    def _proc_member(self, tar: Any) -> Any:
        if self.type in _EXTRA:
            tar.headers = getattr(tar, "headers", 0) + max(self.size, 0)
            if not 0 <= self.size <= HEADER:
                raise tarfile.ReadError(f"A header of the archive is {self.size:,} bytes long")
            if tar.headers > HEADERS:
                raise tarfile.ReadError(f"The archive has more than {HEADERS:,} bytes of headers")
        return super()._proc_member(tar)  # type: ignore[misc]


def members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Give one member after the other, and forget those that were given."""
    for member in tar:
        yield member
        tar.members.clear()  # type: ignore[attr-defined]  # it would keep every one


def leads_out(target: str, depth: int) -> bool:
    """Say whether a link may lead out of its tree; it lies ``depth`` folders down.

    Way up comes first: behind a name, which may itself be a link, ``..`` is anywhere.
    """
    parts = [part for part in target.split("/") if part not in ("", ".")]
    up = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    is_odd = not target or target.startswith("/") or "\0" in target
    return is_odd or up > depth or ".." in parts[up:]
