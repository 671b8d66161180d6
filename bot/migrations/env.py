"""Alembic's entry: works on the connection it is given, inside that connection's transaction."""

from alembic import context

import bot.tables  # noqa: F401 - adds its tables to the metadata
import handoff.tables  # noqa: F401 - so does this
from bot.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
