"""Stops everything that runs while no agent does; nothing that is wished for is forgotten."""

import asyncio
from dataclasses import replace
from pathlib import Path

from perron.agent import sandbox
from perron.contract.node import InstanceState
from perron.kit import clock
from perron.kit.db import unit_of_work

from . import store
from .model import LEAVING
from .tools import Tools

JOB_TIME = 5.0  # seconds a job has to end after it was asked to


async def rest(tools: Tools) -> int:
    """Stop every instance and job; return how many instances ran."""
    with unit_of_work(tools.database) as uow:
        known = store.everyone(uow, tools.sealer)
    folders = {tools.places.instance(each.id): made_of.stop_timeout for each, made_of in known}
    jobs = (tools.home.node / "jobs").glob("*")
    ran = await asyncio.gather(*(_stop(tools, *each) for each in folders.items()))
    await asyncio.gather(*(_stop(tools, folder, JOB_TIME) for folder in jobs))
    with unit_of_work(tools.database) as uow:
        for each, _ in known:
            if each.state not in LEAVING:
                fresh = replace(each, started=None, rotating=False, streak=0, crashes=())
                store.change(uow, fresh.at(InstanceState.STARTING, clock.now()))
    return sum(ran)


async def _stop(tools: Tools, folder: Path, patience: float) -> bool:
    """End what runs in a state folder; false when nothing did."""
    found = tools.sandboxes.find(folder)
    if not isinstance(found, sandbox.Running):
        return False
    found.terminate()
    try:
        await asyncio.wait_for(found.wait(), patience)
    except TimeoutError:
        await found.kill()
    return True
