"""Postgres: one engine a process, transactions, and the migrations."""

import logging
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import Engine

from sync_core.foundation import embedded, settings, silence, walls
from sync_core.foundation.errors import SyncError
from sync_core.foundation.later import Later

if TYPE_CHECKING:
    from sync_core.foundation import revisions
else:  # it brings Alembic along, which a database of the newest revision needs none of
    revisions = Later("sync_core.foundation.revisions")

log = logging.getLogger("syncdesk.db")

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
TOO_LONG = "57014"
NOT_ALLOWED = "42501"
CROWDED = (  # the beginning of a connection is refused without a SQLSTATE: by Postgres, PgBouncer
    "too many clients",
    "remaining connection slots",
    "too many connections",
    "no more connections allowed",
)
NOT_REACHED = (  # as psycopg begins to say it
    "connection failed:",
    "connection is bad:",
    "connection timeout expired",
)
TOO_MANY_CONNECTIONS = "53300"
FULL = ("53", "58")  # the disk or the memory is full, the disk fails
OPTIONS = (  # a process that is frozen in the midst of a transaction locks nobody out for long,
    "-c timezone=UTC -c idle_in_transaction_session_timeout=15s"
    # and one that was cut off keeps no connection: Postgres itself would wait for two hours
    " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=15000"
)
NO_WALLS = (
    "The role of DATABASE_URL owns the tables, or is a superuser: no wall in Postgres holds"
    " organizations apart, nor keeps the program from changing the trail. The README says how to"
    " make it a role of its own."
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
        _address or settings.urls().database,
        pool_pre_ping=True,  # a restart of Postgres costs no page an error
        pool_size=5,
        max_overflow=15,
        pool_timeout=4,
        hide_parameters=True,  # of statements that fail: they are people's data
        connect_args={**TIMEOUTS, "application_name": name(), "options": _options()},
    )
    if not _patient:
        found = silence.Silence()
        limit = settings.current().statement_timeout if _brief else None

        @sa.event.listens_for(made, "do_connect")
        def _connect(_: object, __: object, ___: object, options: dict[str, Any]) -> object:
            return silence.connect(found, limit, **options)

    return made


_patient = False
_brief = False


def be_patient() -> None:
    """Wait for a frozen Postgres as long as it takes: nobody sits before this process."""
    global _patient  # noqa: PLW0603 - of the process, as its engine
    _patient = True
    _make_engine_anew()


def be_brief() -> None:
    """End what takes this process too long: somebody waits for it, and others for their turn."""
    global _brief  # noqa: PLW0603 - of the process, as its engine
    _brief = True
    _make_engine_anew()


def _make_engine_anew() -> None:
    """Forget the engine, and close what it has opened."""
    if engine.cache_info().currsize:
        engine().dispose()
        engine.cache_clear()


_address: str | None = None


def know_only(address: str) -> None:
    """Let this process know an address of Postgres, and no settings that name one."""
    global _address  # noqa: PLW0603 - of the process, as its engine
    _address = address
    engine.cache_clear()


def _options() -> str:
    limit = settings.current().statement_timeout
    return f"{OPTIONS} -c statement_timeout={round(limit * 1000)}" if _brief else OPTIONS


def _forget_inherited_connections() -> None:
    if engine.cache_info().currsize:
        engine().dispose(close=False)  # they stay the parent's
        engine.cache_clear()


os.register_at_fork(after_in_child=_forget_inherited_connections)


@contextmanager
def within(*organizations: int) -> Iterator[Connection]:
    """Open a transaction that finds and writes rows of these organizations (ids) alone.

    It commits at the end, and rolls back where an exception leaves it.
    """
    with engine().begin() as connection:
        walls.confine(connection, organizations)
        yield connection


@contextmanager
def everywhere() -> Iterator[Connection]:
    """Open a transaction over all organizations: for what is the machine's, and no person's.

    So are maintenance, the queue, and looking up who asks. It ends as that of `within`.
    """
    with engine().begin() as connection:
        walls.open_all(connection)
        yield connection


@contextmanager
def undone(*organizations: int) -> Iterator[Connection]:
    """Open a transaction as `within` of which nothing stays: it is rolled back at the end."""
    with engine().connect() as connection:
        walls.confine(connection, organizations)
        yield connection  # the pool rolls back what it gets


@contextmanager
def apart(*organizations: int) -> Iterator[Connection]:
    """Open a transaction as `within` beside the pool: it may take long, the others keep theirs."""
    with engine().connect() as connection:
        connection.detach()
        if isinstance(raw := connection.connection.dbapi_connection, silence.ListeningConnection):
            raw.limit = None
        with connection.begin():
            connection.exec_driver_sql("set local statement_timeout = 0")
            walls.confine(connection, organizations)
            yield connection


@contextmanager
def as_owner() -> Iterator[Connection]:
    """Open a transaction as the role that owns the tables, to migrate them."""
    where = {**TIMEOUTS, "application_name": name(), "options": OPTIONS}
    address = settings.urls().owner
    owning = sa.create_engine(
        address, poolclass=sa.NullPool, hide_parameters=True, connect_args=where
    )
    with owning.begin() as connection:
        walls.open_all(connection)
        yield connection


@contextmanager
def at_once() -> Iterator[Connection]:
    """Open a connection of which each statement commits by itself, without a further word.

    So it leaves nothing locked where this process is frozen or dies between two statements. What
    stands behind the walls it does not find.
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


def refuses() -> bool:
    """Return whether Postgres takes no further connection of this process, or any like it."""
    beside = engine().pool.recreate()
    try:
        beside.connect().close()
    except psycopg.Error as error:
        return is_away(error)
    finally:
        beside.dispose()
    return False


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
    if is_too_long(error):
        return SyncError("took_too_long", seconds=round(settings.current().statement_timeout))
    return SyncError("database_full") if is_full(error) else None


def is_too_long(error: BaseException) -> bool:
    """Return whether Postgres ended a statement that took longer than it may."""
    return _sqlstate(error) == TOO_LONG


def is_restart(error: Exception) -> bool:
    """Return whether it is an outage that somebody wanted, and no crash."""
    return _sqlstate(error) == RESTART


def was_away_before(error: Exception) -> bool:
    """Return whether Postgres could not even be reached: what asks first cannot have crashed it."""
    return is_away(error) and any(words in str(error) for words in NOT_REACHED)


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


@contextmanager
def without_loops(connection: Connection) -> Iterator[None]:
    """Let Postgres look through no table once for each row of another, until the block ends.

    Just after a first load it takes the tables for small, and would do so for minutes.
    """
    connection.exec_driver_sql("set local enable_nestloop = off")
    yield
    connection.exec_driver_sql("set local enable_nestloop to default")


def migrate(connection: Connection) -> None:
    """Bring the schema up to the newest revision, as its owner; one process at a time.

    Then the walls between organizations stand, and the program's role has its rights. Between its
    statements it reads all migrations, which may take long on a busy machine. Raises SyncError:
    program_outdated where the schema is newer than them all, no_version, several_versions,
    owner_is_no_member.
    """
    _require_one_revision(connection)
    if is_newer(connection):
        raise SyncError("program_outdated")
    connection.execute(sa.text("set local idle_in_transaction_session_timeout = 0"))
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    revisions.upgrade(connection)
    walls.build(connection)
    if program := _program(connection):
        walls.let_in(connection, program)


def _program(owning: Connection) -> str | None:
    """Return the role of the program; None where it is the owner's."""
    if not settings.current().database_url:
        walls.make_role(owning, embedded.PROGRAM)
        return embedded.PROGRAM
    urls = settings.urls()
    if urls.owner == urls.database:
        return None
    with engine().connect() as connection:
        return str(connection.exec_driver_sql("select current_user").scalar_one())


def prepare() -> None:
    """Make sure that the schema is the newest; an embedded database is brought there.

    Raises SyncError: needs_migration for an outside one, program_outdated where it is newer,
    no_version, several_versions.
    """
    if settings.current().database_url:
        _require_current()
        return
    if _is_current_for_program():
        return
    with as_owner() as connection:
        if not is_current(connection):
            migrate(connection)


def _is_current_for_program() -> bool:
    """Return whether the program finds the newest schema, which spares a connection of the owner.

    Before the first migration its role has no rights, or is not there: the owner tells why.
    """
    try:
        with everywhere() as connection:
            return is_current(connection)
    except (sa.exc.OperationalError, sa.exc.ProgrammingError):
        return False


def _require_current() -> None:
    try:
        with everywhere() as connection:
            if not is_current(connection):
                _require_one_revision(connection)
                newer = is_newer(connection)
                raise SyncError("program_outdated" if newer else "needs_migration")
            if not walls.stand(connection):
                log.warning("%s", NO_WALLS)
    except sa.exc.ProgrammingError as error:
        if _sqlstate(error) == NOT_ALLOWED:  # the role has no rights yet
            raise SyncError("needs_migration") from error
        raise


def is_current(connection: Connection) -> bool:
    """Return whether the schema is at the newest revision."""
    return revision(connection) == newest_revision()


def is_newer(connection: Connection) -> bool:
    """Return whether the schema is at a revision that this program does not know yet."""
    return revision(connection) not in {None, *revisions.known()}


def revision(connection: Connection) -> str | None:
    """Return the revision of the schema; None before the first migration.

    Where somebody has written several, it is all of them, which is none that any program knows.
    """
    return ", ".join(_revisions(connection)) or None


def _revisions(connection: Connection) -> Sequence[str]:
    if connection.execute(sa.select(sa.func.to_regclass("alembic_version"))).scalar() is None:
        return []
    every = "select version_num from alembic_version where version_num <> '' order by 1"
    return connection.exec_driver_sql(every).scalars().all()


def _require_one_revision(connection: Connection) -> None:
    found = _revisions(connection)
    if len(found) > 1:
        raise SyncError("several_versions", versions=", ".join(found))
    has_tables = sa.select(sa.func.to_regclass("public.runs").is_not(None))
    if not found and connection.execute(has_tables).scalar_one():
        raise SyncError("no_version")


@cache
def newest_revision() -> str:
    """Return the newest revision, by the names of the migrations: 0032_saved_views.py."""
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/*.py"))
