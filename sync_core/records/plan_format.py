"""Where the rows and the plan of a run stand, and what the columns of a plan are called."""

from sync_core.catalogue.fields import Field

SCHEMA = "staging"


def table_name(run_id: int, entity: str, what: str) -> str:
    """Name a run's own table of an entity, within the schema: of its `rows`, its `plan`."""
    return f"{entity}_{what}_{run_id}"


def key_column(key: Field) -> str:
    """Name a key's column in a plan so that no label can meet the plan's own columns."""
    return f"_{key.column}"
