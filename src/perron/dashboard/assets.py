"""Styles and scripts: put together once, named by their content, kept by browsers for good."""

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

FOLDER = Path(__file__).parent / "assets"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".woff2": "font/woff2", ".svg": "image/svg+xml"}  # fmt: skip
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file as it is sent."""

    name: str
    kind: str
    body: bytes
    packed: bytes


@cache
def shelf() -> dict[str, Asset]:
    """Return every asset by the name it is asked for: ``<name>.<digest>.<kind>``."""
    fonts = {path.name: _asset(path.name, path.read_bytes()) for path in _sorted("*.woff2")}
    styles = b"\n".join(path.read_bytes() for path in _sorted("*.css"))
    for plain, font in fonts.items():
        styles = styles.replace(plain.encode(), font.name.encode())
    made = [
        *fonts.values(),
        _asset("perron.css", styles),
        _asset("perron.js", b"\n".join(path.read_bytes() for path in _sorted("*.js"))),
        *(_asset(path.name, path.read_bytes()) for path in _sorted("*.svg")),
    ]
    return {asset.name: asset for asset in made}


@cache
def address_of(plain: str) -> str:
    """Return where an asset is, such as ``/assets/perron.1f0c….css``."""
    stem, _, kind = plain.rpartition(".")
    return next(
        f"/assets/{name}"
        for name in shelf()
        if name.startswith(f"{stem}.") and name.endswith(f".{kind}")
    )


async def give(request: Request) -> Response:
    """Give an asset, packed when the browser can unpack it."""
    asset = shelf().get(request.path_params["name"])
    if asset is None:
        return PlainTextResponse("No such file: reload the page.\n", 404)
    headers = {"Cache-Control": FOR_GOOD, "Vary": "Accept-Encoding"}
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, headers=headers, media_type=asset.kind)
    return Response(asset.body, headers=headers, media_type=asset.kind)


def _asset(plain: str, body: bytes) -> Asset:
    stem, _, kind = plain.rpartition(".")
    name = f"{stem}.{sha256(body).hexdigest()[:12]}.{kind}"
    packed = b"" if kind == "woff2" else gzip.compress(body, 9, mtime=0)
    return Asset(name, TYPES[f".{kind}"], body, packed)


def _sorted(pattern: str) -> list[Path]:
    return sorted(FOLDER.glob(pattern))
