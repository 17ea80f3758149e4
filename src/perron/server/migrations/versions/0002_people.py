"""People, teams, sessions, audit, quotas, schedules."""

import sqlalchemy as sa
from alembic import op

import perron.kit.db
from perron.server.migrations import filling

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "acceptance",
        sa.Column("risk", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", perron.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("risk"),
    )
    op.create_table(
        "audit_link",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("chain", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    with op.batch_alter_table("audit_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_link_digest"), ["digest"], unique=False)

    op.create_table(
        "origin",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("salt", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("client", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("origin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_origin_address"), ["address"], unique=False)

    op.create_table(
        "quota",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("most", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("team", "name"),
    )
    op.create_table(
        "quota_build",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("started", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("ended", perron.kit.db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("quota_build", schema=None) as batch_op:
        batch_op.create_index("ix_quota_build_team", ["team", "started"], unique=False)

    op.create_table(
        "quota_hold",
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("holder", "name"),
    )
    with op.batch_alter_table("quota_hold", schema=None) as batch_op:
        batch_op.create_index("ix_quota_hold_team", ["team", "name"], unique=False)

    op.create_table(
        "run_waiting",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked", perron.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "schedule",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("expression", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("overlap", sa.String(), nullable=False),
        sa.Column("timeout", sa.Float(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("created", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("next_at", perron.kit.db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("environment", "name"),
    )
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_schedule_next_at"), ["next_at"], unique=False)

    op.create_table(
        "schedule_run",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("schedule", sa.String(), nullable=False),
        sa.Column("fire_at", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("release", sa.Integer(), nullable=True),
        sa.Column("started", perron.kit.db.UtcDateTime(), nullable=True),
        sa.Column("finished", perron.kit.db.UtcDateTime(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("is_ending", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("schedule", "fire_at"),
    )
    with op.batch_alter_table("schedule_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_schedule_run_state"), ["state"], unique=False)

    op.create_table(
        "try",
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last", perron.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("bucket"),
    )
    with op.batch_alter_table("try", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_try_last"), ["last"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("employer", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("created", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("expires", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("used", perron.kit.db.UtcDateTime(), nullable=True),
        sa.Column("used_by", sa.String(), nullable=True),
        sa.Column("revoked", perron.kit.db.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["team"],
            ["team.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_team"), ["team"], unique=False)

    op.create_table(
        "login",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("expires", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("used", perron.kit.db.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "link",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("created", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("expires", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("used", perron.kit.db.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["token"],
            ["token.id"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_person"), ["person"], unique=False)

    op.create_table(
        "session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("created", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("last_used", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("expires", perron.kit.db.UtcDateTime(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("ended", perron.kit.db.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["token"],
            ["token.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_person"), ["person"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_token"), ["token"], unique=False)

    op.create_table(
        "transfer",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("asked", perron.kit.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app"],
            ["app.id"],
        ),
        sa.ForeignKeyConstraint(
            ["team"],
            ["team.id"],
        ),
        sa.PrimaryKeyConstraint("app"),
    )
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_transfer_team"), ["team"], unique=False)

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin", sa.String(), nullable=True))
        batch_op.create_index("ix_event_app_position", ["app", "position"], unique=False)
        batch_op.create_index("ix_event_team_position", ["team", "position"], unique=False)

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("handle", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("email", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("password", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("erased", perron.kit.db.UtcDateTime(), nullable=True))
        batch_op.create_index(batch_op.f("ix_person_handle"), ["handle"], unique=True)

    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("app", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("team", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("role", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_token_app"), ["app"], unique=False)
        batch_op.create_index(batch_op.f("ix_token_team"), ["team"], unique=False)

    filling.give_handles(op.get_bind())


def downgrade() -> None:
    """Go back by restoring a backup: nothing here loses data by itself."""
    raise NotImplementedError("Go back with: perron platform restore FILE.")
