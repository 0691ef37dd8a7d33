"""What Alembic runs: our tables and those of the catalogue, on the connection it is given."""

from alembic import context

from sync_core.catalogue import resources
from sync_core.foundation import tables

assert resources.CATALOGUE  # noqa: S101 - importing the catalogue registers its tables


def _is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _to: object) -> bool:  # noqa: FBT001 - Alembic's signature
    is_partition = kind == "table" and name is not None and name.startswith("outcomes_")
    is_where_it_can_be = kind == "index" and name is not None and name.endswith("_by_words")
    return not (is_partition or is_where_it_can_be)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    include_object=_is_ours,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
