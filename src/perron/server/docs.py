"""The API's own description: the OpenAPI document, and pages to browse it without a network."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse

from perron.kit.problems import NotFound

DOCS = "/v1/docs"
OPENAPI = "/v1/openapi.json"
ASSETS = Path(__file__).parent / "assets"
FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "docs.js": "text/javascript",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Perron API</title>
<link rel="stylesheet" href="{DOCS}/swagger-ui.css">
</head>
<body>
<div id="api" data-url="{OPENAPI}"></div>
<script src="{DOCS}/swagger-ui-bundle.js"></script>
<script src="{DOCS}/docs.js"></script>
</body>
</html>
"""

router = APIRouter(include_in_schema=False)


class AssetNotFound(NotFound):
    """The documentation has no such file."""


@router.get(DOCS)
def show_docs() -> HTMLResponse:
    """Show the API to people; nothing is loaded from elsewhere."""
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
    return HTMLResponse(PAGE, headers=headers)


@router.get(DOCS + "/{name}")
def show_asset(name: str) -> FileResponse:
    """Give a file of the documentation."""
    if name not in FILES:
        raise AssetNotFound(f"The documentation has no file {name!r}.")
    headers = {"Cache-Control": "public, max-age=86400"}
    return FileResponse(ASSETS / name, media_type=FILES[name], headers=headers)
