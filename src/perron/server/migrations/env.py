"""Runs the steps on the connection the server opened, inside its transaction."""

from alembic import context

from perron.kit.tables import metadata
from perron.server import rooms

rooms.load()  # each room adds its tables to the collection
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
