"""How the catalog's own things are shown."""

from collections.abc import Sequence
from typing import Literal

from perron import access
from perron.catalog.model import App, Transfer
from perron.contract.teams import TransferView
from perron.kit.db import UnitOfWork


def transfers(
    work: UnitOfWork,
    found: Sequence[tuple[Transfer, App]],
    *,
    state: Literal["waiting", "accepted"] = "waiting",
) -> list[TransferView]:
    """Show apps on their way to another team."""
    people = access.briefs_of(work, {transfer.by for transfer, _app in found})
    return [
        TransferView(
            app=app.name,
            app_id=app.id,
            before=access.team_name(work, app.team),
            team=transfer.name,
            by=people[transfer.by],
            asked=transfer.asked,
            state=state,
        )
        for transfer, app in found
    ]
