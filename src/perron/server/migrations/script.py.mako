"""${message}."""

import sqlalchemy as sa
from alembic import op

import perron.kit.db

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Take the step."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Go back by restoring a backup: nothing here loses data by itself."""
    raise NotImplementedError("Go back with: perron platform restore FILE.")
