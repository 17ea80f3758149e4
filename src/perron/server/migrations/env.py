"""Runs the steps on the connection the server opened, inside its transaction."""

from alembic import context

from perron import (
    access,
    audit,
    builds,
    catalog,
    config,
    edge,
    operations,
    quotas,
    releases,
    runtime,
    schedules,
    services,
)
from perron.kit import once, origins, spine
from perron.kit.tables import metadata

# Each of these has added its tables to the one collection.
ROOMS = (
    access,
    audit,
    builds,
    catalog,
    config,
    edge,
    operations,
    quotas,
    releases,
    runtime,
    schedules,
    services,
)
CELLAR = (once, origins, spine)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
