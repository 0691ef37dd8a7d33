import socket
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from psycopg import errors
from streamlit.testing.v1 import AppTest

from sync_core.foundation import db, embedded, settings
from sync_core.foundation.errors import SyncError

FULL = sa.exc.OperationalError("select 1", {}, errors.DiskFull())
TYPED_WRONG = sa.exc.ProgrammingError("selct 1", {}, errors.SyntaxError("at or near 'selct'"))


@pytest.fixture
def unreachable(servers: embedded.Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Let the program ask for Postgres at a port where nothing listens."""
    db.engine().dispose()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"postgresql+psycopg://nobody@127.0.0.1:{bound.getsockname()[1]}/none"
        monkeypatch.setenv("DATABASE_URL", address)
        monkeypatch.setenv("REDIS_URL", servers.redis)
        settings.current.cache_clear()
        db.engine.cache_clear()
        yield address
    monkeypatch.undo()
    settings.current.cache_clear()
    db.engine.cache_clear()


def shown(error: Exception) -> AppTest:
    def page(error: Exception) -> None:
        from sync_core.ui.frame import error_box  # noqa: PLC0415 - AppTest runs the source of this

        error_box.show(error)

    return AppTest.from_function(page, args=(error,)).run()


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (FULL, "The database has no room left, or trouble with its disk. Nothing was changed."),
        (SyncError("unknown_run", run=7), "There is no run 7."),
        (TYPED_WRONG, "Something unexpected happened on this page."),
        (ValueError("secret"), "Something unexpected happened on this page."),
    ],
    ids=["full", "ours", "wrong SQL", "unexpected"],
)
def test_whatever_goes_wrong_is_a_sentence_and_no_trace(error: Exception, title: str) -> None:
    page = shown(error)
    (alert,) = page.error
    assert alert.proto.title.replace("\\", "") == title
    assert "secret" not in alert.value
    assert not page.exception


def test_a_database_that_is_away_is_named_without_its_address(unreachable: str) -> None:
    with pytest.raises(sa.exc.OperationalError) as caught, db.everywhere():
        pass
    (alert,) = shown(caught.value).error
    assert alert.proto.title == "The database does not answer\\."
    assert unreachable not in f"{alert.proto.title} {alert.value}"


def test_whether_the_database_answers_is_asked_of_the_database(servers: embedded.Urls) -> None:
    assert servers
    assert db.answers()


def test_a_database_that_is_away_does_not_answer(unreachable: str) -> None:
    assert unreachable
    assert not db.answers()
