"""What a log says of errors, whoever writes it: nothing of anybody's data."""

import logging
import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from sync_core.foundation import db, logs
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import ROOT

MARK = "marked.patient@example.org"
ROWS = "create temporary table people (email text unique) on commit drop"
ADD = sa.text("insert into people values (:email)")


def twice(connection: db.Connection) -> None:
    connection.exec_driver_sql(ROWS)
    connection.execute(ADD, [{"email": MARK}])
    connection.execute(ADD, [{"email": MARK}])


def no_number(connection: db.Connection) -> None:
    connection.execute(sa.text("select cast(:x as integer)"), {"x": MARK})


def nul(connection: db.Connection) -> None:
    connection.execute(sa.text("select :x"), {"x": f"{MARK}\x00"})


def copied(connection: db.Connection) -> None:
    cursor = db.cursor(connection)
    cursor.execute("create temporary table numbers (n integer) on commit drop")
    with cursor.copy("copy numbers from stdin") as copy:
        copy.write_row([MARK])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (twice, "UniqueViolation: 23505 duplicate key value violates unique constraint"),
        (no_number, "InvalidTextRepresentation: 22P02\n"),
        (nul, "DataError\n"),
        (copied, "InvalidTextRepresentation: 22P02\n"),
    ],
)
def test_an_error_of_postgres_is_logged_without_rows_and_parameters(
    fault: Callable[[db.Connection], None],
    kind: str,
    servers: object,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert servers
    with pytest.raises((DBAPIError, psycopg.Error)) as caught, db.everywhere() as connection:
        fault(connection)
    assert "[parameters: (" not in str(caught.value)
    log = logging.getLogger("any.library")
    log.error("it failed: %s", caught.value, exc_info=caught.value)
    assert MARK not in caplog.text
    assert kind in f"{caplog.text}\n"
    assert fault.__name__ in caplog.text  # where it was raised stays


def test_what_led_to_an_error_is_logged_the_same_way(caplog: pytest.LogCaptureFixture) -> None:
    try:
        try:
            int(MARK)
        except ValueError as first:
            raise ExceptionGroup(MARK, [KeyError(MARK), SyncError("database_down")]) from first
    except ExceptionGroup:
        logging.getLogger("any.library").exception("it failed")
    assert MARK not in caplog.text
    for kind in ("ValueError", "ExceptionGroup", "KeyError", "SyncError: "):
        assert kind in caplog.text


def test_what_is_about_the_program_alone_is_said() -> None:
    for error, said in (
        (FileNotFoundError(2, "No such file or directory", MARK), "No such file or directory"),
        (AttributeError("'X' object has no attribute 'y'"), "'X' object has no attribute 'y'"),
    ):
        assert logs.told(error) == f"{type(error).__name__}: {said}"


@pytest.mark.parametrize("call", ["f()", "t = threading.Thread(target=f); t.start(); t.join()"])
def test_what_nobody_caught_is_told_the_same_way(call: str) -> None:
    script = f"import threading\nimport sync_core\ndef f(): int('marked' + '-data')\n{call}"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.stderr.endswith("ValueError\n")
    assert "marked-data" not in ended.stderr
