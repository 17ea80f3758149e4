"""The agent's API, spoken over its unix socket by the server alone."""

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from starlette.responses import Response
from starlette.websockets import WebSocketDisconnect

from perron import __version__
from perron.agent import logs, sandbox
from perron.agent.instances import Instances, Tools, run_inside
from perron.agent.jobs import Jobs
from perron.agent.volumes import VolumeMounted
from perron.contract import node
from perron.contract.node import (
    JobReport,
    JobSpec,
    NodeView,
    Report,
    RouterCount,
    Traffic,
    VolumeView,
    WishDocument,
)
from perron.kit.files import check_room, private_folder
from perron.kit.problems import Permanent, Problem, Temporary

from .understanding import Understanding, Versioned, check_version, tell

CLOSE_REFUSED = 4000  # a WebSocket close code of our own; its reason says why
router = APIRouter()


class DigestDiffers(Problem):
    """What arrived is not what its name says."""

    status = 422


@dataclass
class Rooms:
    """The rooms that answer."""

    tools: Tools
    node: str
    started: datetime
    instances: Instances
    jobs: Jobs
    understanding: Understanding = field(default_factory=Understanding)


def create_app(rooms: Rooms) -> FastAPI:
    """Return the agent's API over these rooms."""
    app = FastAPI(title="Perron agent", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.rooms = rooms
    app.include_router(router)
    app.add_exception_handler(Problem, tell)
    app.add_exception_handler(Temporary, tell)
    app.add_exception_handler(Permanent, tell)
    app.add_exception_handler(RequestValidationError, tell)
    app.add_middleware(Versioned)
    return app


def _rooms(request: Request) -> Rooms:
    rooms: Rooms = request.app.state.rooms
    return rooms


In = Annotated[Rooms, Depends(_rooms)]
Wait = Annotated[float, Query(ge=0, le=60)]


@router.get(node.NODE)
async def show_node(rooms: In) -> NodeView:
    """Say what this node is and offers."""
    promises, tier, interpreters = await asyncio.to_thread(_offers, rooms)
    disk = shutil.disk_usage(rooms.tools.home.path)
    return NodeView(
        node=rooms.node,
        tier=tier,
        promises=promises,
        interpreters=interpreters,
        disk_free=disk.free,
        disk_total=disk.total,
        edge="up" if rooms.tools.edge.is_up() else "down",
        agent_version=__version__,
        started=rooms.started,
        not_understood=rooms.understanding.missed,
    )


@router.put(node.WISHES, status_code=204)
async def hear_wishes(document: WishDocument, request: Request, rooms: In) -> None:
    """Keep what is wished for, and make it true from now on."""
    check_version(document.version)
    rooms.understanding.heard(WishDocument, await request.json())
    rooms.instances.hear(document)


@router.get(node.REPORT)
async def report(
    rooms: In, after: int | None = None, wait: Wait = 0, changes: bool = False
) -> Response:
    """Tell what runs, as soon as it differs from what ``after`` told."""
    told: Report = await rooms.instances.reports.report(after, wait, changes=changes)
    return Response(told.model_dump_json(), media_type="application/json")


@router.delete(node.PARKED, status_code=204)
async def let_go(environment: str, rooms: In) -> None:
    """End what nobody wishes for any more: a person said so."""
    rooms.instances.let_go(environment)


@router.put(node.SOURCE, status_code=204)
async def keep_source(digest: str, request: Request, rooms: In) -> None:
    """Keep a source's archive under its digest, once it is whole."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise DigestDiffers(f"{digest[:70]!r} is not the digest of a source.")
    folder = private_folder(rooms.tools.home.node / "sources")
    expected = int(request.headers.get("content-length") or 0)
    check_room(folder, expected, reserve=rooms.tools.settings.disk_reserve)
    with _received(folder) as half:
        found = await _receive(request, half)
        if found != digest:
            raise DigestDiffers(f"The source that arrived is {found}, not {digest}. Send it again.")
        half.replace(folder / digest)


@router.get(node.BUILDS)
async def list_unused_builds(before: datetime, rooms: In) -> list[str]:
    """Name the builds that nothing here runs, and nobody made or found since ``before``."""
    used = rooms.instances.builds() | rooms.jobs.builds()
    return await asyncio.to_thread(rooms.tools.builds.unused, used, before)


@router.get(node.BUILD)
async def show_build(digest: str, rooms: In) -> dict[str, int | str]:
    """Say whether a build is here, and how large it is."""
    return {"digest": digest, "size": await asyncio.to_thread(rooms.tools.builds.size, digest)}


@router.delete(node.BUILD, status_code=204)
async def drop_build(digest: str, rooms: In) -> None:
    """Forget a build; one that is not here needs nothing."""
    await asyncio.to_thread(rooms.tools.builds.drop, digest)


@router.put(node.JOB)
async def ask_job(job: str, spec: JobSpec, request: Request, rooms: In) -> JobReport:
    """Have a job done once, however often it is asked for."""
    check_version(spec.version)
    rooms.understanding.heard(JobSpec, await request.json())
    return await rooms.jobs.ask(job, spec)


@router.get(node.JOB)
async def show_job(job: str, rooms: In, wait: Wait = 0) -> JobReport:
    """Say how far a job came, as soon as that changed."""
    return await rooms.jobs.report(job, wait)


@router.delete(node.JOB)
async def cancel_job(job: str, rooms: In) -> JobReport:
    """End a job."""
    return await rooms.jobs.cancel(job)


@router.get(node.LOGS)
async def read_logs(
    rooms: In, wanted: Annotated[logs.Query, Depends()], wait: Wait = 0
) -> Response:
    """Return lines of an environment, oldest first."""
    page = await rooms.tools.logs.read(wanted, wait=wait)
    return Response(page.model_dump_json(), media_type="application/json")


@router.get(node.ROUTER)
async def count_requests(
    environment: str, since: datetime, until: datetime, rooms: In, release: int | None = None
) -> RouterCount:
    """Say what the edge saw of an environment, and when the release named first served."""
    return await rooms.tools.edge.router_count(environment, since, until, release)


@router.get(node.TRAFFIC)
async def show_traffic(rooms: In) -> Traffic:
    """Say how many requests every environment had in each minute of the last hour."""
    return Traffic(minutes=await rooms.tools.edge.traffic())


@router.get(node.VOLUMES)
def list_volumes(environment: str, rooms: In) -> list[VolumeView]:
    """Return the volumes of an environment."""
    return rooms.tools.volumes.list(environment)


@router.put(node.VOLUME)
def make_volume(
    environment: str, volume: str, rooms: In, size: Annotated[int, Query(ge=1)]
) -> VolumeView:
    """Have a volume of this size."""
    rooms.tools.volumes.ensure(environment, volume, size)
    return rooms.tools.volumes.find(environment, volume)


@router.delete(node.VOLUME, status_code=204)
def destroy_volume(environment: str, volume: str, rooms: In) -> None:
    """Remove a volume with its files and snapshots."""
    rooms.tools.volumes.destroy(environment, volume)


@router.get(node.VOLUME_FILES)
def download_volume(environment: str, volume: str, rooms: In) -> StreamingResponse:
    """Return the files of a volume as a tar archive."""
    archive = rooms.tools.volumes.download(environment, volume)
    return StreamingResponse(archive, media_type="application/x-tar")


@router.put(node.VOLUME_FILES)
async def upload_volume(environment: str, volume: str, request: Request, rooms: In) -> VolumeView:
    """Put the files of a tar archive into a volume."""
    rooms.tools.volumes.find(environment, volume)
    with _received(private_folder(rooms.tools.home.node / "uploads")) as archive:
        await _receive(request, archive)
        return await asyncio.to_thread(rooms.tools.volumes.upload, environment, volume, archive)


@router.post(node.VOLUME_SNAPSHOTS, status_code=201)
def snapshot_volume(environment: str, volume: str, rooms: In) -> VolumeView:
    """Keep the files of a volume as they are now."""
    return rooms.tools.volumes.snapshot(environment, volume)


@router.post(node.VOLUME_RESTORE)
async def restore_volume(environment: str, volume: str, snapshot: str, rooms: In) -> VolumeView:
    """Put the files of a snapshot in place of those that are there."""
    volumes = rooms.tools.volumes
    with volumes.holding(environment):
        mounting = rooms.instances.mounting(environment, volume)
        mounting += rooms.jobs.mounting(environment, volume)
        if mounting:
            raise VolumeMounted(
                f"{', '.join(mounting[:5])} of this environment has {volume} mounted and may write "
                "to it. Stop it first (perron stop), wait for what runs once, then restore."
            )
        return await asyncio.to_thread(volumes.restore, environment, volume, snapshot)


@router.websocket(node.EXEC)
async def execute(
    websocket: WebSocket,
    instance: str,
    arg: Annotated[list[str], Query(min_length=1)],
    terminal: bool = False,
    rows: int = 24,
    columns: int = 80,
) -> None:
    """Run a command in a running instance, for whoever holds the other end."""
    rooms: Rooms = websocket.app.state.rooms
    await websocket.accept()
    try:
        keeper = rooms.instances.find(instance)
        await run_inside(keeper, websocket, arg, terminal=terminal, size=(rows, columns))
        code, why = 1000, ""
    except (Problem, Temporary, Permanent) as no:
        code, why = CLOSE_REFUSED, str(no)[:120]
    with suppress(RuntimeError, WebSocketDisconnect):  # they left first
        await websocket.close(code, why)


@router.websocket(node.ATTACH)
async def attach(websocket: WebSocket, job: str) -> None:
    """Lead a person to a job that waits for one."""
    rooms: Rooms = websocket.app.state.rooms
    await rooms.jobs.attach(job, websocket)


def _offers(rooms: Rooms) -> tuple[list[node.Promise], str, list[node.Interpreter]]:
    settings = rooms.tools.settings
    promises = sandbox.promises(settings.bwrap, settings.cgroup)
    return promises, sandbox.tier(settings.bwrap), rooms.tools.builds.interpreters()


@contextmanager
def _received(folder: Path) -> Iterator[Path]:
    """Give a place for what arrives, gone again unless it was moved away."""
    descriptor, name = tempfile.mkstemp(prefix=".half-", dir=folder)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


async def _receive(request: Request, into: Path) -> str:
    """Write what arrives to a file, for good; return its SHA-256."""
    digest = hashlib.sha256()
    pieces: AsyncIterator[bytes] = request.stream()
    with into.open("wb") as file:
        async for piece in pieces:
            digest.update(piece)
            file.write(piece)
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    return digest.hexdigest()
