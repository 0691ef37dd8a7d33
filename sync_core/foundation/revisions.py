"""The revisions of the schema, as Alembic reads and takes them."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def upgrade(connection: Connection) -> None:
    """Take every revision that the schema lacks."""
    command.upgrade(config(connection), "head")


def known() -> set[str]:
    """Return all revisions of this program; to find them, every migration is imported."""
    return {one.revision for one in ScriptDirectory.from_config(config()).walk_revisions()}


def config(connection: Connection | None = None) -> Config:
    """Configure Alembic without a file; its commands use `connection`."""
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made
