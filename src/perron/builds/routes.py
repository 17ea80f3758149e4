"""The HTTP door of builds: sources in, and what a deploy would make of them."""

from contextlib import suppress

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from perron import access, catalog, quotas, runtime
from perron.catalog import App
from perron.contract.node import Interpreter
from perron.contract.releases import DETECT, SOURCES, DetectRequest, DetectView, SourceView
from perron.kit.db import UnitOfWork, reading, unit_of_work
from perron.kit.problems import Problem
from perron.kit.settings import Home
from perron.kit.whereabouts import home_of, settings_of

from .model.detected import Detected
from .service import detecting, sources
from .service.upload import Upload

router = APIRouter(tags=["builds"])
SIGNED = [Depends(access.bearer)]  # told to readers; each transaction asks for itself


class UploadBroken(Problem):
    """The sender went away before the archive was whole."""


@router.put(
    SOURCES,
    dependencies=SIGNED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/gzip": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def keep_source(app: str, request: Request) -> SourceView:
    """Keep an archive (tar.gz) to deploy from; the same one again is harmless.

    No transaction is open while the archive arrives: one before asks who may, one after keeps.
    """
    upload = await run_in_threadpool(_begin, app, request)
    try:
        async for chunk in request.stream():
            upload.write(chunk)
        return await run_in_threadpool(_finish, app, request, upload)
    except ClientDisconnect as gone:
        raise UploadBroken("The upload broke off; nothing was kept. Send it again.") from gone
    finally:
        await run_in_threadpool(upload.abandon)


@router.post(DETECT, dependencies=SIGNED)
def detect(app: str, body: DetectRequest, request: Request) -> DetectView:
    """Say what a deploy would do, from a file list; keeps nothing.

    ``wants`` names files to send in ``contents`` for a full answer.
    """
    with reading(request.app.state.database) as work:
        _may_detect(work, access.identify(request, work), app)
        home = home_of(work)
    found = detecting.detect(
        body.files, body.contents.get, root=body.root, interpreters=_interpreters(home)
    )
    return _view(found)


def _begin(app: str, request: Request) -> Upload:
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdigit() else 0
    with reading(request.app.state.database) as work:
        found = _allowed(work, app, request)
        quotas.check(work, found.team, "disk", more=size)
        home, settings = home_of(work), settings_of(work)
    return Upload(home, settings, announced=size)


def _finish(app: str, request: Request, upload: Upload) -> SourceView:
    source = upload.finish()
    with unit_of_work(request.app.state.database) as work:
        found = _allowed(work, app, request)
        try:
            sources.note_source(work, found, source)
        except quotas.QuotaExceeded:
            sources.abandon_source(work, source.digest)
            raise
    return SourceView(digest=source.digest, size=source.size, files=source.files)


def _allowed(work: UnitOfWork, app: str, request: Request) -> App:
    return catalog.authorize(work, access.identify(request, work), app, "source.create")


def _may_detect(work: UnitOfWork, by: access.Actor, app: str) -> None:
    """Let those ask who may send the app's source, or who may make an app of a new name."""
    try:
        catalog.authorize(work, by, app, "source.create")
    except catalog.AppNotFound:
        catalog.check_name(app, of="app")
        access.team_for(work, by, "app.create", None)


def _interpreters(home: Home) -> list[Interpreter]:
    """Return what the machine offers; none while the agent is away. Asked in no transaction."""
    with suppress(Problem):
        return runtime.engine_of(home).node().interpreters
    return []


def _view(found: Detected) -> DetectView:
    manifest = found.manifest
    return DetectView(
        detected=found.detector or None,
        reason=found.reason,
        notes=list(found.notes),
        wants=list(found.wants),
        processes={name: spec.command for name, spec in manifest.processes.items()},
        release_command=manifest.release_command,
        steps=found.steps,
    )
