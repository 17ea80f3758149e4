"""What can be done about who owns an app: two owners agree, and it has another team."""

from perron import access, operations, quotas
from perron.access import Actor, Team
from perron.catalog import store
from perron.catalog.model import (
    App,
    AppTransferred,
    TeamHasApps,
    Transfer,
    TransferAsked,
    TransferNotFound,
    TransferRefused,
    TransferWithdrawn,
)
from perron.kit import clock, spine
from perron.kit.db import UnitOfWork

from . import apps


def ask_transfer(uow: UnitOfWork, by: Actor, app: App, name: str) -> Transfer | None:
    """Ask another team to take the app; None when who asks owns both, so that it is done.

    A team that does not exist is told like one whose owners never accept.
    """
    found = access.find_team(uow, name)
    if found and found.id == app.team:
        raise TransferRefused(f"Team {found.name} owns {app.name} already.", team=name)
    transfer = Transfer(app.id, found.id if found else None, name, by.id, clock.now())
    store.keep_transfer(uow, transfer)
    spine.record(uow, TransferAsked(transfer.team), subject=app.id, of=app.place)
    if found and access.may(access.role_in(uow, by, found.id), "app.receive"):
        take(uow, transfer, found.id)
        return None
    return transfer


def transfer_of(uow: UnitOfWork, app: App) -> Transfer:
    """Return where the app is going, or raise TransferNotFound."""
    found = store.transfer_of(uow, app.id)
    if found is None:
        raise TransferNotFound(f"{app.name} is on its way to no other team.", app=app.name)
    return found


def offered(uow: UnitOfWork, by: Actor, name: str, permission: str) -> tuple[App, Transfer, str]:
    """Return an app that was offered to a team of the actor, and that team.

    To everybody else there is no such app.
    """
    app = store.find_app(uow, name)
    transfer = store.transfer_of(uow, app.id) if app else None
    if app is None or transfer is None or transfer.team is None:
        raise _not_offered(name)
    try:
        access.authorize(uow, by, team=transfer.team, permission=permission, subject=app.id)
    except access.Stranger as stranger:
        raise _not_offered(name) from stranger
    apps.refuse_destroying(app)
    return app, transfer, transfer.team


def transfers_of(uow: UnitOfWork, team: Team) -> list[tuple[Transfer, App]]:
    """Return the apps on their way to the team or from it, the longest first."""
    return store.transfers_of(uow, team.id)


def take(uow: UnitOfWork, transfer: Transfer, team: str) -> App:
    """Give the app to its new team, with its tokens and the history of its operations."""
    before = apps.get_app(uow, transfer.app)
    places = [each.id for each in apps.environments_of(uow, before)]
    quotas.check(uow, team, "apps", more=1)
    quotas.check(uow, team, "environments", more=len(places))
    quotas.move(uow, places, to=team)
    store.drop_transfer(uow, before.id)
    store.move(uow, before.id, team)
    access.move_tokens(uow, app=before.id, team=team)
    operations.move(uow, app=before.id, team=team)
    after = apps.get_app(uow, before.id)
    moved = AppTransferred(before.team, after.team)
    for place in (before.place, after.place):  # both teams' histories tell of it
        spine.record(uow, moved, subject=after.id, of=place)
    return after


def withdraw(uow: UnitOfWork, app: App, transfer: Transfer) -> None:
    """Let the app stay where it is."""
    store.drop_transfer(uow, app.id)
    spine.record(uow, TransferWithdrawn(transfer.team), subject=app.id, of=app.place)


def remove_team(uow: UnitOfWork, by: Actor, team: Team) -> None:
    """Forget a team that has no apps; what was offered to it stays where it is."""
    if count := store.count_apps(uow, team.id):
        raise TeamHasApps(
            f"Team {team.name} still has {count} app{'' if count == 1 else 's'}: destroy what it "
            "has or move it to another team first, "
            "with perron transfers ask.",
            apps=count,
        )
    store.lose_team(uow, team.id)
    access.remove_team(uow, by, team)


def _not_offered(name: str) -> TransferNotFound:
    return TransferNotFound(
        f"No app {name!r} was offered to a team of yours; list what was with: perron transfers.",
        app=name,
    )
