"""Roles are data: one table says what each of them may do."""

ADMINISTRATOR = "administrator"
ROLES = ("viewer", "developer", "owner")

_READERS = frozenset({"viewer", "developer", "owner"})
_MAKERS = frozenset({"developer", "owner"})
_OWNERS = frozenset({"owner"})
_EVERYONE = frozenset({"person", *ROLES})
_NOBODY: frozenset[str] = frozenset()

PERMISSIONS: dict[str, frozenset[str]] = {
    "app.read": _READERS,
    "app.create": _MAKERS,
    "app.rename": _MAKERS,
    "app.destroy": _OWNERS,
    "app.transfer": _OWNERS,
    "app.receive": _OWNERS,
    "environment.create": _MAKERS,
    "environment.destroy": _OWNERS,
    "source.create": _MAKERS,
    "release.read": _READERS,
    "release.create": _MAKERS,
    "release.cancel": _MAKERS,
    "scale.change": _MAKERS,
    "instance.read": _READERS,
    "instance.restart": _MAKERS,
    "config.read": _READERS,
    "config.change": _MAKERS,
    "config.reveal": _MAKERS,
    "logs.read": _READERS,
    "domain.read": _READERS,
    "domain.change": _MAKERS,
    "routing.change": _MAKERS,
    "volume.read": _READERS,
    "volume.change": _MAKERS,
    "volume.destroy": _OWNERS,
    "volume.data": _MAKERS,
    "volume.restore": _MAKERS,
    "run.create": _MAKERS,
    "exec.create": _MAKERS,
    "schedule.read": _READERS,
    "schedule.change": _MAKERS,
    "schedule.run": _MAKERS,
    "operation.read": _READERS,
    "operation.cancel": _MAKERS,
    "team.read": _READERS,
    "team.change": _OWNERS,
    "team.destroy": _OWNERS,
    "team.create": _NOBODY,
    "member.read": _READERS,
    "member.change": _OWNERS,
    "member.remove": _OWNERS,
    "invitation.read": _OWNERS,
    "invitation.create": _OWNERS,
    "invitation.revoke": _OWNERS,
    "app_token.read": _OWNERS,
    "app_token.create": _READERS,
    "app_token.revoke": _OWNERS,
    "token.read": _EVERYONE,
    "token.create": _EVERYONE,
    "token.revoke": _EVERYONE,
    "me.read": _EVERYONE,
    "me.change": _EVERYONE,
    "session.read": _EVERYONE,
    "session.create": _EVERYONE,
    "session.end": _EVERYONE,
    "login.approve": _EVERYONE,
    "audit.read": _OWNERS,
    "audit.verify": _NOBODY,
    "quota.read": _READERS,
    "quota.change": _NOBODY,
    "platform.read": _EVERYONE,
    "platform.change": _NOBODY,
    "platform.examine": _NOBODY,
    "person.read": _NOBODY,
    "person.change": _NOBODY,
    "person.erase": _NOBODY,
}
"""Which roles give which permission; ``person`` is anyone who is signed in.

Administrators may do everything.
"""

OF_APP_TOKENS = frozenset({"me.read", "platform.read"})
"""What a token of one app may do besides its role in that app."""


def may(role: str | None, permission: str, *, administrator: bool = False) -> bool:
    """Say whether the table gives ``permission`` to the role, or to anyone signed in."""
    given = PERMISSIONS[permission]
    return administrator or "person" in given or role in given


def is_within(role: str, most: str | None) -> bool:
    """Say whether a role is no higher than another."""
    return most is not None and ROLES.index(role) <= ROLES.index(most)


def lower(one: str, other: str | None) -> str | None:
    """Return the lower of two roles; without one of them there is none."""
    return None if other is None else min(one, other, key=ROLES.index)
