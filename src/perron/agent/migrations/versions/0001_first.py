"""The first tables of node.db: facts, wishes, uids, ports, instances, volumes and jobs."""

import sqlalchemy as sa
from alembic import op

from perron.kit.db import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "fact",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
    )
    op.create_table(
        "wish",
        sa.Column("environment", sa.String(), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("parked", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("cut", sa.Integer(), nullable=False),
    )
    op.create_table(
        "uid",
        sa.Column("environment", sa.String(), primary_key=True),
        sa.Column("uid", sa.Integer(), nullable=False, unique=True),
    )
    op.create_table(
        "port",
        sa.Column("port", sa.Integer(), primary_key=True),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("freed", UtcDateTime()),
    )
    op.create_table(
        "instance",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("environment", sa.String(), nullable=False, index=True),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("release", sa.Integer(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("port", sa.Integer()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("started", UtcDateTime()),
        sa.Column("rotating", sa.Boolean(), nullable=False),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.JSON(), nullable=False),
        sa.Column("last_exit", sa.JSON()),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "volume",
        sa.Column("environment", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "job",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("environment", sa.String(), nullable=False, index=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False, index=True),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("started", UtcDateTime()),
        sa.Column("finished", UtcDateTime()),
        sa.Column("exit", sa.String()),
        sa.Column("size", sa.Integer()),
    )
