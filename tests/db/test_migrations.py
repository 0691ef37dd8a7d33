from alembic import command

from sync_core.foundation import db
from sync_core.foundation.embedded import Urls


def test_the_migrations_make_exactly_the_tables_of_the_code(servers: Urls) -> None:
    """A change of tables or of a resource without a migration is named here."""
    assert servers
    with db.begin() as connection:
        command.check(db.alembic_config(connection))


def test_a_fresh_database_is_current_after_the_migrations(servers: Urls) -> None:
    assert servers
    with db.begin() as connection:
        assert db.is_current(connection)
