"""Alembic's environment: runs on the connection that ``Database.migrate`` hands over."""

from alembic import context

from serving.gateway.log.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter most columns in place
)
with context.begin_transaction():
    context.run_migrations()
