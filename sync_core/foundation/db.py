"""Postgres: one engine a process, transactions, and the migrations."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from sync_core.foundation import settings, silence
from sync_core.foundation.errors import SyncError

Connection = sa.Connection  # what the rooms above ask with
MIGRATIONS = Path(__file__).parents[1] / "migrations"
MIGRATION_LOCK = 7_300_201  # advisory, of whoever migrates
TIMEOUTS = {  # with a server that went away without a word; Unix sockets need none of it
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
AWAY = ("08", "57P", "25P03")  # beginnings of SQLSTATE: no connection, shut down, timed out
RESTART = "57P01"
CROWDED = (  # the beginning of a connection is refused without a SQLSTATE: by Postgres, PgBouncer
    "too many clients",
    "remaining connection slots",
    "too many connections",
    "no more connections allowed",
)
TOO_MANY_CONNECTIONS = "53300"
FULL = ("53", "58")  # the disk or the memory is full, the disk fails
OPTIONS = (  # a process that is frozen in the midst of a transaction locks nobody out for long
    "-c timezone=UTC -c idle_in_transaction_session_timeout=15s"
)
ERRORS = (sa.exc.DBAPIError, sa.exc.TimeoutError)  # whatever a statement, or the pool, may raise
TOKEN = secrets.token_hex(4)  # of this process and the children that it forks: pids come again


def name(pid: int | None = None) -> str:
    """Name a process, this one or a fork of it, as Postgres and the leases know it."""
    return f"{socket.gethostname()[:40]}:{TOKEN}:{pid or os.getpid()}"


@cache
def engine() -> Engine:
    """Return this process's engine; connections are made when they are needed."""
    made = sa.create_engine(
        settings.urls().database,
        pool_pre_ping=True,  # a restart of Postgres costs no page an error
        pool_size=5,
        max_overflow=15,
        pool_timeout=4,
        connect_args={**TIMEOUTS, "application_name": name(), "options": OPTIONS},
    )
    if not _patient:
        found = silence.Silence()

        @sa.event.listens_for(made, "do_connect")
        def _connect(_: object, __: object, ___: object, options: dict[str, Any]) -> object:
            return silence.connect(found, **options)

    return made


_patient = False


def be_patient() -> None:
    """Wait for a frozen Postgres as long as it takes: nobody sits before this process."""
    global _patient  # noqa: PLW0603 - of the process, as its engine
    _patient = True
    engine.cache_clear()


def _forget_inherited_connections() -> None:
    if engine.cache_info().currsize:
        engine().dispose(close=False)  # they stay the parent's
        engine.cache_clear()


os.register_at_fork(after_in_child=_forget_inherited_connections)


@contextmanager
def begin() -> Iterator[Connection]:
    """Open a transaction that commits at the end, and rolls back where an exception leaves it."""
    with engine().begin() as connection:
        yield connection


@contextmanager
def undone() -> Iterator[Connection]:
    """Open a transaction that is rolled back at the end: whatever it writes, nothing stays."""
    with engine().connect() as connection:
        yield connection  # the pool rolls back what it gets


@contextmanager
def apart() -> Iterator[Connection]:
    """Open a transaction beside the pool: it may take long, and leaves the others theirs."""
    with engine().connect() as connection:
        connection.detach()
        with connection.begin():
            yield connection


@contextmanager
def at_once() -> Iterator[Connection]:
    """Open a connection of which each statement commits by itself, without a further word.

    So it leaves nothing locked where this process is frozen or dies between two statements.
    """
    with engine().connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def answers() -> bool:
    """Return whether Postgres answers now."""
    try:
        with engine().connect():  # the pool tries a kept connection before it hands it out
            return True
    except sa.exc.SQLAlchemyError as error:
        if is_away(error):
            return False
        raise


def is_away(error: BaseException) -> bool:
    """Return whether it is an outage of Postgres, which passes by itself."""
    if state := _sqlstate(error):
        return state.startswith(AWAY) or state == TOO_MANY_CONNECTIONS
    ours = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
    return isinstance(error, (*ours, psycopg.OperationalError, psycopg.InterfaceError))


def as_sync_error(error: Exception) -> SyncError | None:
    """Return what people are told where Postgres does not answer or is full, and for no other."""
    if is_crowded(error):
        return SyncError("database_crowded")
    if is_away(error):
        return SyncError("database_down")
    return SyncError("database_full") if is_full(error) else None


def is_restart(error: Exception) -> bool:
    """Return whether it is an outage that somebody wanted, and no crash."""
    return _sqlstate(error) == RESTART


def is_crowded(error: BaseException) -> bool:
    """Return whether Postgres has refused a connection, for it has too many: no crash either."""
    if state := _sqlstate(error):
        return state == TOO_MANY_CONNECTIONS
    return any(words in str(error) for words in CROWDED) and is_away(error)


def is_full(error: Exception) -> bool:
    """Return whether Postgres lacks room, or has trouble with its disk."""
    return (_sqlstate(error) or "").startswith(FULL) and not is_crowded(error)


def _sqlstate(error: BaseException) -> str | None:
    state = getattr(getattr(error, "orig", error), "sqlstate", None)  # SQLAlchemy wraps psycopg's
    return state if isinstance(state, str) else None


def cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """Return psycopg's cursor inside the connection's transaction, for COPY and composed SQL."""
    raw = connection.connection.dbapi_connection  # also of one that was detached
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the engine is not psycopg's")
    return raw.cursor()


def migrate(connection: Connection) -> None:
    """Bring the schema up to the newest revision; one process at a time."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    command.upgrade(alembic_config(connection), "head")


def prepare() -> None:
    """Make sure that the schema is the newest; an embedded database is brought there.

    Raises SyncError("needs_migration") for an outside one.
    """
    with begin() as connection:
        if is_current(connection):
            return
        if settings.current().database_url:
            raise SyncError("needs_migration")
        migrate(connection)


def is_current(connection: Connection) -> bool:
    """Return whether the schema is at the newest revision."""
    return MigrationContext.configure(connection).get_current_revision() == newest_revision()


@cache
def newest_revision() -> str | None:
    """Return the newest revision; to find it, every migration is imported."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def alembic_config(connection: Connection | None = None) -> Config:
    """Configure Alembic without a file; its commands use `connection`."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
