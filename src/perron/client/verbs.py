"""Everything a platform can be asked, one function for each verb.

Answers are the API's documents (``docs/reference/openapi.json``).
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from .client import Client, Json, Place, Query, app_path
from .transport import Answer

APPS = "/v1/apps"


def me(client: Client) -> Json:
    """Say who the token belongs to."""
    return dict(client.get("/v1/me"))


def platform(client: Client) -> Json:
    """Say what this platform is."""
    return dict(client.get("/v1/platform"))


def tokens(client: Client) -> Iterator[Json]:
    """Give your own tokens, without their texts."""
    return client.pages("/v1/tokens")


def create_token(
    client: Client, name: str, days: int, *, app: str | None = None, role: str | None = None
) -> Json:
    """Make another token for yourself, or for one app in a role."""
    asked: Json = {"name": name, "expires_in": days}
    return dict(client.send("POST", "/v1/tokens", asked | {"app": app, "role": role}))


def revoke_token(client: Client, id: str) -> None:
    """Let a token open nothing any more."""
    client.send("DELETE", f"/v1/tokens/{quote(id, safe='')}")


def apps(client: Client) -> Iterator[Json]:
    """Give every app with its environments."""
    return client.pages(APPS, {"limit": 100})


def app(client: Client, name: str) -> Json:
    """Give one app with its environments."""
    return dict(client.get(app_path(name)))


def create_app(client: Client, name: str, team: str | None = None) -> Json:
    """Create an app; harmless when it is ours already."""
    return dict(client.send("POST", APPS, {"name": name} | ({"team": team} if team else {})))


def rename_app(client: Client, name: str, to: str) -> Json:
    """Give an app another name."""
    return dict(client.send("PATCH", app_path(name), {"name": to}))


def destroy_app(client: Client, name: str) -> Json:
    """Ask for the end of an app and everything it has."""
    return dict(client.send("DELETE", app_path(name)) or {})


def environments(client: Client, app: str) -> Iterator[Json]:
    """Give every environment of an app."""
    return client.pages(f"{app_path(app)}/environments")


def environment(client: Client, place: Place) -> Json:
    """Give one environment."""
    return dict(client.get(place.path))


def create_environment(client: Client, place: Place) -> Json:
    """Create an environment."""
    path = f"{app_path(place.app)}/environments"
    return dict(client.send("POST", path, {"name": place.environment}))


def destroy_environment(client: Client, place: Place) -> Json:
    """Ask for the end of an environment and everything it has."""
    return dict(client.send("DELETE", place.path) or {})


def send_source(client: Client, app: str, archive: Path) -> Json:
    """Upload a packed folder; the same content again is harmless."""
    return dict(client.send("PUT", f"{app_path(app)}/sources", archive))


def detect(client: Client, app: str, request: Json) -> Json:
    """Ask what a deploy would do; nothing is built or kept."""
    return dict(client.send("POST", f"{app_path(app)}/detect", request))


def deploy(client: Client, place: Place, request: Json) -> Json:
    """Ask for a new release."""
    return dict(client.send("POST", f"{place.path}/releases", request))


def releases(client: Client, place: Place, *, limit: int = 100) -> Iterator[Json]:
    """Give releases, newest first."""
    return client.pages(f"{place.path}/releases", {"limit": min(limit, 500)})


def release(client: Client, place: Place, number: int) -> Json:
    """Give one release."""
    return dict(client.get(f"{place.path}/releases/{number}"))


def diff(client: Client, place: Place, before: int, after: int, *, rollback: bool = False) -> Json:
    """Say what differs between two releases, or what going back to ``after`` would change."""
    query = {"rollback": "true"} if rollback else None
    return dict(client.get(f"{place.path}/releases/{before}/diff/{after}", query))


def roll_back(client: Client, place: Place, to: int | None) -> Json:
    """Ask for an older release to go live again."""
    return dict(client.send("POST", f"{place.path}/rollback", {"to": to}))


def act(client: Client, place: Place, verb: str) -> Json:
    """Ask an environment to ``restart``, ``stop``, ``start`` or ``cancel``."""
    return dict(client.send("POST", f"{place.path}/{verb}") or {})


def scale(client: Client, place: Place) -> Json:
    """Say how many instances are wished for."""
    return dict(client.get(f"{place.path}/scale"))


def change_scale(client: Client, place: Place, processes: dict[str, int]) -> Json:
    """Wish for other numbers of instances."""
    return dict(client.send("PUT", f"{place.path}/scale", {"processes": processes}) or {})


def instances(client: Client, place: Place) -> Iterator[Json]:
    """Give the instances of an environment."""
    return client.pages(f"{place.path}/instances")


def config(client: Client, place: Place) -> Json:
    """Give the configuration; secrets are masked."""
    return dict(client.get(f"{place.path}/config"))


def change_config(client: Client, place: Place, change: Json) -> Json:
    """Set and unset keys, together or not at all."""
    return dict(client.send("PATCH", f"{place.path}/config", change))


def reveal(client: Client, place: Place, name: str) -> Json:
    """Show a value in the clear; the platform records who asked."""
    return dict(client.send("POST", f"{place.path}/config/{quote(name, safe='')}/reveal"))


def logs(client: Client, place: Place, query: Query) -> Json:
    """Give a page of lines, oldest first."""
    return dict(client.get(f"{place.path}/logs", query))


def volumes(client: Client, place: Place) -> Iterator[Json]:
    """Give the volumes of an environment."""
    return client.pages(f"{place.path}/volumes")


def create_volume(client: Client, place: Place, request: Json) -> Json:
    """Create a volume."""
    return dict(client.send("POST", f"{place.path}/volumes", request))


def restore_volume(client: Client, place: Place, name: str, snapshot: str) -> Json:
    """Put the files of a snapshot in place of those of a volume that nothing has mounted."""
    path = f"{volume_path(place, name)}/snapshots/{quote(snapshot, safe='')}/restore"
    return dict(client.send("POST", path, query={"confirm": name}))


def volume_path(place: Place, name: str) -> str:
    """Return the address of a volume."""
    return f"{place.path}/volumes/{quote(name, safe='')}"


def domains(client: Client, place: Place) -> Iterator[Json]:
    """Give the host names that lead here."""
    return client.pages(f"{place.path}/domains")


def add_domain(client: Client, place: Place, request: Json) -> Json:
    """Lead a host name here."""
    return _applied(client.answer("POST", f"{place.path}/domains", request))


def remove_domain(client: Client, place: Place, host: str) -> Json:
    """Lead a host name here no more."""
    return _applied(client.answer("DELETE", f"{place.path}/domains/{quote(host, safe='')}"))


def maintain(client: Client, place: Place, *, on: bool) -> Json:
    """Show visitors the maintenance page, or stop showing it."""
    return _applied(client.answer("PUT", f"{place.path}/maintenance", {"on": on}))


def protect(client: Client, place: Place, user: str | None, password: str | None) -> Json:
    """Ask visitors for a name and a password; None lifts it."""
    body = {"user": user, "password": password}
    return _applied(client.answer("PUT", f"{place.path}/protection", body))


def _applied(answer: Answer) -> Json:
    """Add to what was answered whether the edge does so already; false is not yet."""
    told = answer.headers.get("perron-applied")
    return {**(answer.json() or {}), **({} if told is None else {"applied": told == "true"})}


def operation(client: Client, id: str) -> Json:
    """Give an operation and all that came of the same cause."""
    return dict(client.get(operation_path(id)))


def cancel_operation(client: Client, id: str) -> Json:
    """Stop an operation as soon as it can be stopped."""
    return dict(client.send("POST", f"{operation_path(id)}/cancel") or {})


def operation_path(id: str) -> str:
    """Return the address of an operation."""
    return f"/v1/operations/{quote(id, safe='')}"


def run(client: Client, place: Place, request: Json) -> Json:
    """Ask for a one-off command."""
    return dict(client.send("POST", f"{place.path}/runs", request))


def run_state(client: Client, place: Place, id: str) -> Json:
    """Say how a one-off command stands."""
    return dict(client.get(f"{place.path}/runs/{quote(id, safe='')}"))


def attach_path(place: Place, id: str) -> str:
    """Return where a one-off command's terminal is."""
    return f"{place.path}/runs/{quote(id, safe='')}/attach"


def exec_path(place: Place, instance: str) -> str:
    """Return where a command inside an instance is started."""
    return f"{place.path}/instances/{quote(instance, safe='')}/exec"
