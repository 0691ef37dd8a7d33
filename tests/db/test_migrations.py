import re

import psycopg
import sqlalchemy as sa
from alembic import command
from sqlalchemy.pool import Pool

from sync_core.foundation import db, embedded, revisions, tables
from sync_core.foundation.embedded import Urls


def test_the_migrations_make_exactly_the_tables_of_the_code(servers: Urls) -> None:
    """A change of tables or of a resource without a migration is named here."""
    assert servers
    with db.everywhere() as connection:
        command.check(revisions.config(connection))


def test_a_fresh_database_is_current_after_the_migrations(servers: Urls) -> None:
    assert servers
    with db.everywhere() as connection:
        assert db.is_current(connection)


def test_the_migrations_allow_exactly_the_words_of_the_code(servers: Urls) -> None:
    """Alembic does not compare the conditions of columns."""
    assert servers
    of_the_code = {
        constraint.name: words(str(constraint.sqltext))
        for table in tables.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint) and str(constraint.name).endswith("_known")
    }
    query = "select conname, pg_get_constraintdef(oid) from pg_constraint where conname ~ '_known$'"
    with db.everywhere() as connection:
        of_postgres = {name: words(text) for name, text in connection.execute(sa.text(query))}
    assert len(of_the_code) >= 4
    assert of_the_code == of_postgres


def words(condition: str) -> set[str]:
    return set(re.findall(r"'(\w+)'", condition))


def test_a_schema_that_is_the_newest_takes_no_connection_of_the_owner(servers: Urls) -> None:
    assert servers
    made: list[str] = []

    def note(raw: psycopg.Connection, _record: object) -> None:
        made.append(raw.info.user)

    db.engine().dispose()
    sa.event.listen(Pool, "connect", note)
    try:
        db.prepare()
    finally:
        sa.event.remove(Pool, "connect", note)
    assert made == [embedded.PROGRAM]
