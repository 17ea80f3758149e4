"""The HTTP door of volumes; their files pass through to the agent, a piece at a time."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from perron import access, catalog, runtime
from perron.access import By
from perron.catalog import Environment
from perron.contract import node
from perron.contract.pages import Page
from perron.contract.volumes import (
    FILES,
    RESTORE,
    SNAPSHOTS,
    VOLUME,
    VOLUMES,
    VolumeRequest,
    VolumeView,
)
from perron.kit import once
from perron.kit.db import UnitOfWork, reading, unit_of_work
from perron.kit.nodeclient import AgentAway, AgentRefused, NodeClient
from perron.kit.spine import Happening
from perron.kit.web import Work, asked_once
from perron.kit.whereabouts import home_of

from . import service
from .model import (
    ConfirmationMissing,
    Volume,
    VolumeFilesRead,
    VolumeFilesWritten,
    VolumeInUse,
    VolumeRestored,
    VolumeSnapshotted,
)

router = APIRouter(tags=["volumes"])
LONG = {"wait": 3600.0}  # seconds: a large volume takes its time
ARCHIVE = "application/x-tar"
ARCHIVED: dict[int | str, Any] = {
    200: {"content": {ARCHIVE: {"schema": {"type": "string", "format": "binary"}}}}
}
SIGNED = [Depends(access.bearer)]  # told to readers; each transaction asks for itself


@router.get(VOLUMES)
def list_volumes(app: str, environment: str, work: Work, by: By) -> Page[VolumeView]:
    """Show volumes and how full they are; what nobody could measure is null."""
    place = catalog.enter(work, by, app, environment, "volume.read")
    seen = _seen(work, place)
    return Page(items=[_view(each, seen) for each in service.volumes(work, place)])


@router.post(VOLUMES, status_code=201)
def create(app: str, environment: str, body: VolumeRequest, work: Work, by: By) -> VolumeView:
    """Create a volume; what starts from now on has it mounted."""
    place = catalog.enter(work, by, app, environment, "volume.change")
    volume = service.create(work, place, body.name, mount=body.mount, size=body.size)
    return _view(volume, {})


@router.get(VOLUME)
def show(app: str, environment: str, volume: str, work: Work, by: By) -> VolumeView:
    """Show one volume."""
    place = catalog.enter(work, by, app, environment, "volume.read")
    return _view(service.get(work, place, volume), _seen(work, place))


@router.delete(VOLUME, status_code=204, dependencies=SIGNED)
def destroy(
    app: str, environment: str, volume: str, request: Request, confirm: str = ""
) -> Response:
    """Destroy a volume with its files and snapshots; ``confirm`` says its name again.

    The files go first: should this break off, the volume is still there to be destroyed again.
    """
    with reading(request.app.state.database) as work:
        place, found = _entered(request, work, app, environment, volume, "volume.destroy")
        _must_mean(found, confirm, "destroys every file")
        _refuse_mounted(work, place, found, "destroy it")
        client = _node(work)
    client.delete(_path(node.VOLUME, place, found.name))
    with unit_of_work(request.app.state.database) as work:
        place, found = _entered(request, work, app, environment, volume, "volume.destroy")
        service.destroy(work, place, found.name)
    return Response(status_code=204)


@router.post(SNAPSHOTS, status_code=201, dependencies=SIGNED)
def snapshot(app: str, environment: str, volume: str, request: Request) -> VolumeView:
    """Keep a copy of a volume as it is now."""
    with reading(request.app.state.database) as work:
        place, found = _entered(request, work, app, environment, volume, "volume.data")
        if asked := asked_once(request, work):
            once.recall(work, asked)
        client = _node(work)
    kept = client.request("POST", _path(node.VOLUME_SNAPSHOTS, place, found.name))
    shown = _view(found, {found.name: node.VolumeView.model_validate(kept)})
    with unit_of_work(request.app.state.database) as work:
        place, _ = _entered(request, work, app, environment, volume, "volume.data")
        if asked:
            once.recall(work, asked)  # the same request, sent twice at once
            body = shown.model_dump_json().encode()
            once.keep(work, asked, status=201, body=body, media_type="application/json")
        service.record(work, place, VolumeSnapshotted(found.name), found.name)
    return shown


@router.post(RESTORE, dependencies=SIGNED)
def restore(
    app: str, environment: str, volume: str, snapshot: str, request: Request, confirm: str = ""
) -> VolumeView:
    """Put a snapshot's files in place of those of a volume; ``confirm`` says its name again.

    A copy of what is there is kept first. It is refused while anything has the volume mounted.
    """
    with reading(request.app.state.database) as work:
        place, found = _entered(request, work, app, environment, volume, "volume.restore")
        _must_mean(found, confirm, "replaces every file")
        _refuse_mounted(work, place, found, "restore it")
        before = _seen(work, place).get(found.name)
        client = _node(work)
    path = node.VOLUME_RESTORE.format(environment=place.id, volume=found.name, snapshot=snapshot)
    after = node.VolumeView.model_validate(client.request("POST", path, query=LONG))
    kept = sorted(set(after.snapshots) - set(before.snapshots if before else ()))
    with unit_of_work(request.app.state.database) as work:
        place, found = _entered(request, work, app, environment, volume, "volume.restore")
        event = VolumeRestored(found.name, snapshot, kept[-1] if kept else "")
        service.record(work, place, event, found.name)
    return _view(found, {found.name: after})


@router.get(FILES, dependencies=SIGNED, response_class=Response, responses=ARCHIVED)
async def download(app: str, environment: str, volume: str, request: Request) -> StreamingResponse:
    """Give a volume's files as a tar archive."""
    client, path = await run_in_threadpool(
        _admit, request, app, environment, volume, VolumeFilesRead
    )
    opened = client.stream_async("GET", path)
    answer = await opened.__aenter__()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            async for piece in answer.aiter_bytes():
                yield piece
        finally:
            await opened.__aexit__(None, None, None)

    headers = {"Content-Disposition": f'attachment; filename="{volume}.tar.gz"'}
    media = answer.headers.get("content-type", ARCHIVE)
    return StreamingResponse(pieces(), media_type=media, headers=headers)


@router.put(FILES, status_code=204, dependencies=SIGNED)
async def upload(app: str, environment: str, volume: str, request: Request) -> None:
    """Put the files of a tar archive into a volume."""
    client, path = await run_in_threadpool(
        _admit, request, app, environment, volume, VolumeFilesWritten
    )
    async with client.stream_async("PUT", path, body=request.stream()) as answer:
        await answer.aread()


def _admit(
    request: Request, app: str, environment: str, volume: str, event: type[Any]
) -> tuple[NodeClient, str]:
    """Say where the files are if this is allowed, and write down who had them."""
    with unit_of_work(request.app.state.database) as uow:
        place, found = _entered(request, uow, app, environment, volume, "volume.data")
        what: Happening = event(found.name)
        service.record(uow, place, what, found.name)
        return _node(uow), _path(node.VOLUME_FILES, place, found.name)


def _entered(
    request: Request, uow: UnitOfWork, app: str, environment: str, volume: str, permission: str
) -> tuple[Environment, Volume]:
    place = catalog.enter(uow, access.identify(request, uow), app, environment, permission)
    return place, service.get(uow, place, volume)


def _seen(uow: UnitOfWork, place: Environment) -> dict[str, node.VolumeView]:
    """Return what the agent measured; nothing while it is away."""
    try:
        found = _node(uow).get(node.VOLUMES.format(environment=place.id))
    except (AgentAway, AgentRefused):
        return {}
    return {each["name"]: node.VolumeView.model_validate(each) for each in found}


def _must_mean(volume: Volume, confirm: str, does: str) -> None:
    if confirm != volume.name:
        raise ConfirmationMissing(
            f"This {does} in {volume.name!r}: say confirm={volume.name} to mean it."
        )


def _refuse_mounted(uow: UnitOfWork, place: Environment, volume: Volume, then: str) -> None:
    wish = runtime.find_wish(uow, place.id)
    users = sorted({s.process for s in wish.wish.sets if s.count}) if wish else []
    if users:
        raise VolumeInUse(
            f"{volume.name!r} is mounted by {', '.join(users)}: first perron stop, then {then}."
        )


def _view(volume: Volume, seen: dict[str, node.VolumeView]) -> VolumeView:
    measured = seen.get(volume.name)
    return VolumeView(
        name=volume.name,
        mount=volume.mount,
        size=volume.size,
        created=volume.created,
        used=measured.used if measured else None,
        quota=measured.quota if measured else "watched",
        snapshots=measured.snapshots if measured else [],
    )


def _node(uow: UnitOfWork) -> NodeClient:
    return runtime.client_of(home_of(uow))


def _path(address: str, place: Environment, volume: str) -> str:
    return address.format(environment=place.id, volume=volume)
