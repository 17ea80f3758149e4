"""Stops everything that runs while no agent does; nothing that is wished for is forgotten."""

import asyncio
import logging
import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from perron.agent import sandbox
from perron.agent.places import Places
from perron.contract.node import InstanceState
from perron.kit import clock
from perron.kit.db import Database, unit_of_work
from perron.kit.seal import Sealer

from . import store
from .model import LEAVING
from .tools import Tools

JOB_TIME = 5.0  # seconds a job has to end after it was asked to

log = logging.getLogger("perron.agent")


async def rest(
    database: Database, sealer: Sealer, places: Places, sandboxes: sandbox.Sandboxes
) -> int:
    """Stop every instance and job; return how many instances ran."""
    with unit_of_work(database) as uow:
        known = store.everyone(uow, sealer)
    patience = {each.id: made_of.stop_timeout for each, made_of in known}
    node = places.home.node
    instances = [(at, patience.get(at.name, JOB_TIME)) for at in node.glob("instances/*")]
    jobs = [(at, JOB_TIME) for at in node.glob("jobs/*/*") if at.is_dir()]
    ran = await asyncio.gather(*(_stop(sandboxes, *each) for each in instances))
    await asyncio.gather(*(_stop(sandboxes, *each) for each in jobs))
    sandboxes.dissolve()
    with unit_of_work(database) as uow:
        for each, _ in known:
            if each.state not in LEAVING:  # it did not fall: nobody shall count this as a crash
                fresh = replace(each, started=None, rotating=False, streak=0, crashes=())
                store.change(uow, fresh.at(InstanceState.STARTING, clock.now()))
    return sum(ran)


async def end_strangers(tools: Tools, known: Collection[str]) -> None:
    """End and remove instances this node has no record of, as after the loss of node.db.

    What is wished for is started anew: two of one thing would be worse.
    """
    for folder in (tools.home.node / "instances").glob("*"):
        if folder.name not in known:
            log.warning(
                "node.db knows nothing of the instance %s, as after the loss of that file; it is "
                "ended, and what is wished for is started anew.",
                folder.name,
            )
            await _stop(tools.sandboxes, folder, JOB_TIME)
            sandbox.clean(folder)
            shutil.rmtree(folder, ignore_errors=True)


async def _stop(sandboxes: sandbox.Sandboxes, folder: Path, patience: float) -> bool:
    """End what runs in a state folder; false when nothing did."""
    found = sandboxes.find(folder)
    if not isinstance(found, sandbox.Running):
        return False
    found.terminate()
    try:
        await asyncio.wait_for(found.wait(), patience)
    except TimeoutError:
        await found.kill()
    return True
