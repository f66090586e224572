"""What alembic runs: the steps, on the connection that `ablate.store.connection` hands over."""

from alembic import context

from ablate.store.schema import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
)
context.run_migrations()
