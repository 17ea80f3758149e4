"""People, teams, sessions, audit, quotas, schedules."""

import sqlalchemy as sa
from alembic import op

import perron.kit.db

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
        "run_waiting",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked", perron.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin", sa.String(), nullable=True))
        batch_op.create_index("ix_event_app_position", ["app", "position"], unique=False)
        batch_op.create_index("ix_event_team_position", ["team", "position"], unique=False)


def downgrade() -> None:
    """Go back by restoring a backup: nothing here loses data by itself."""
    raise NotImplementedError("Go back with: perron platform restore FILE.")
