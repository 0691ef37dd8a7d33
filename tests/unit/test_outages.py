import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from sync_core.foundation import db

AWAY = [
    psycopg.OperationalError("connection refused"),
    psycopg.InterfaceError("the connection is closed"),
    errors.AdminShutdown(),
    errors.CrashShutdown(),
    errors.CannotConnectNow(),
    errors.IdleInTransactionSessionTimeout(),
    errors.TooManyConnections(),
    sa.exc.TimeoutError("no connection is free"),
]
THERE = [errors.DiskFull(), errors.DeadlockDetected(), errors.UndefinedTable(), ValueError()]


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_an_outage_of_postgres_passes_by_itself(error: Exception) -> None:
    assert db.is_away(error)
    assert not db.is_full(error)


@pytest.mark.parametrize("error", THERE, ids=repr)
def test_what_postgres_refuses_is_no_outage(error: Exception) -> None:
    assert not db.is_away(error)


def test_an_outage_is_seen_through_the_wrapping_of_sqlalchemy() -> None:
    assert db.is_away(sa.exc.OperationalError("select 1", {}, errors.AdminShutdown()))
    assert not db.is_away(sa.exc.OperationalError("select 1", {}, errors.DiskFull()))


def test_a_restart_is_told_from_a_crash() -> None:
    assert db.is_restart(errors.AdminShutdown())
    assert not db.is_restart(errors.CrashShutdown())
    assert not db.is_restart(psycopg.OperationalError("server closed the connection"))


@pytest.mark.parametrize("begins", ["connection failed:", "connection is bad:"])
@pytest.mark.parametrize(
    "words",
    [
        "the database system is starting up",
        "the database system is in recovery mode",
        "the database system is shutting down",
        "Connection refused",
    ],
)
def test_who_is_not_let_in_has_crashed_nothing(words: str, begins: str) -> None:
    refused = psycopg.OperationalError(f"{begins} connection to server failed: {words}")
    assert db.is_away(refused)
    assert db.was_away_before(sa.exc.OperationalError("select 1", {}, refused))


def test_who_was_connected_may_have_crashed_it() -> None:
    for lost in ("server closed the connection unexpectedly", "the connection is lost"):
        assert not db.was_away_before(psycopg.OperationalError(lost))
    assert not db.was_away_before(errors.UndefinedTable("connection failed: x"))


def test_a_full_disk_has_a_sentence_of_its_own() -> None:
    assert db.is_full(errors.DiskFull())
    assert not db.is_full(ValueError())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sa.exc.TimeoutError("no connection is free"), "database_down"),
        (sa.exc.InternalError("x", {}, errors.IdleInTransactionSessionTimeout()), "database_down"),
        (sa.exc.OperationalError("x", {}, errors.TooManyConnections()), "database_crowded"),
        (psycopg.OperationalError("FATAL:  sorry, too many clients already"), "database_crowded"),
        (sa.exc.OperationalError("x", {}, errors.DiskFull()), "database_full"),
        (sa.exc.ProgrammingError("x", {}, errors.UndefinedTable()), None),
    ],
)
def test_people_are_told_of_postgres_what_they_can_do_about(
    error: Exception, code: str | None
) -> None:
    told = db.as_sync_error(error)
    assert (told.code if told else None) == code
