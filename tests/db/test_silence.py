"""A Postgres that says nothing is told from one that is slow."""

import time

import pytest
import sqlalchemy as sa

from sync_core.foundation import db, embedded, silence
from tests.support import processes
from tests.support.waiting import eventually

pytestmark = pytest.mark.alone


def test_a_slow_statement_is_waited_for(servers: embedded.Urls) -> None:
    assert servers
    longer = silence.PATIENCE_SECONDS + silence.KNOWN_SECONDS
    with db.everywhere() as connection:
        assert connection.execute(sa.text("select pg_sleep(:s), 7"), {"s": longer}).one()[1] == 7


def test_one_backend_that_is_frozen_is_given_up_within_5_s_and_no_other(
    servers: embedded.Urls,
) -> None:
    assert servers
    with db.undone() as connection, db.undone() as other:
        frozen = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
        with processes.frozen(frozen):
            start = time.monotonic()
            with pytest.raises(sa.exc.OperationalError) as raised:
                connection.execute(sa.text("select 1"))
            assert time.monotonic() - start < 5
            assert db.is_away(raised.value)
            assert other.execute(sa.text("select 1")).scalar_one() == 1


def test_a_server_that_freezes_during_a_statement_is_given_up_within_5_s(
    servers: embedded.Urls,
) -> None:
    assert servers
    with db.undone() as connection, processes.frozen(*processes.postgres()):
        start = time.monotonic()
        with pytest.raises(sa.exc.OperationalError) as raised:
            connection.execute(sa.text("select 1"))
        assert not db.answers()
        assert time.monotonic() - start < 5
        assert db.is_away(raised.value)
    assert eventually(db.answers)
