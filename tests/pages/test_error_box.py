import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors
from streamlit.testing.v1 import AppTest

from sync_core.foundation import db
from sync_core.foundation.errors import SyncError

AWAY = sa.exc.OperationalError("select 1", {}, psycopg.OperationalError("connection refused"))
FULL = sa.exc.OperationalError("select 1", {}, errors.DiskFull())
TYPED_WRONG = sa.exc.ProgrammingError("selct 1", {}, errors.SyntaxError("at or near 'selct'"))


def shown(error: Exception) -> AppTest:
    def page(error: Exception) -> None:
        from sync_core.ui.frame import error_box  # noqa: PLC0415 - AppTest runs the source of this

        error_box.show(error)

    return AppTest.from_function(page, args=(error,)).run()


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (AWAY, "The database does not answer."),
        (FULL, "The database has no room left, or trouble with its disk. Nothing was changed."),
        (SyncError("unknown_run", run=7), "There is no run 7."),
        (TYPED_WRONG, "Something unexpected happened on this page."),
        (ValueError("secret"), "Something unexpected happened on this page."),
    ],
    ids=["away", "full", "ours", "wrong SQL", "unexpected"],
)
def test_whatever_goes_wrong_is_a_sentence_and_no_trace(error: Exception, title: str) -> None:
    page = shown(error)
    (alert,) = page.error
    assert alert.proto.title.replace("\\", "") == title
    assert "secret" not in alert.value
    assert not page.exception


def test_a_database_that_answers_is_seen(servers: object) -> None:
    assert servers
    assert db.answers()
