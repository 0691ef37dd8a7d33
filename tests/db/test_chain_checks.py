"""A check of the audit's chain that somebody asks for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sync_core.audit import hash_chain
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.operations import chain_checks
from sync_core.runs import Run
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

EARLIER = timedelta(hours=1)


@pytest.fixture
def run(desk: Desk) -> Run:
    return desk.sync("locations", locations=[HEADER, row("L1")])


def kept(desk: Desk) -> hash_chain.Verdict | None:
    with db.everywhere() as connection:
        return hash_chain.latest(connection, desk.organization.id)


def check_by_night(desk: Desk) -> datetime:
    """Keep a whole check from before; returns when it was made."""
    with db.everywhere() as connection:
        found = hash_chain.verify(connection, desk.organization)
        at = found.at - EARLIER
        verdict = hash_chain.Verdict(at, found.links, found.head, found.broken)
        hash_chain.keep(connection, desk.organization, verdict)
    return at


def refused(desk: Desk) -> str:
    with pytest.raises(SyncError) as error:
        chain_checks.verify(desk.organization, ANA)
    return error.value.code


def test_a_check_of_everything_is_kept(desk: Desk, run: Run) -> None:
    assert run
    found = chain_checks.verify(desk.organization, ANA)
    assert (found.verdict.broken, found.since) == (None, None)
    assert found.verdict == kept(desk)
    assert refused(desk) == "checked_just_now"


def test_where_everything_takes_long_what_is_new_is_checked_and_the_night_does_the_rest(
    desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch, tamper: Callable[..., None]
) -> None:
    before = check_by_night(desk)
    monkeypatch.setattr(chain_checks, "WHOLE_MS", 1)
    last = desk.sync("locations", locations=[HEADER, row("L1"), row("L2")])
    found = chain_checks.verify(desk.organization, ANA)
    assert (found.verdict.broken, found.since) == (None, before)
    newest = kept(desk)
    assert newest
    assert newest.at == before  # else the nightly check of everything would be left out
    tamper("update runs set message = 'rosy' where id = %s", run.id)
    assert chain_checks.verify(desk.organization, ANA).verdict.broken is None
    tamper("update runs set message = 'rosy' where id = %s", last.id)
    told = chain_checks.verify(desk.organization, ANA).verdict
    assert f"run {last.id} is not as it was" in str(told.broken)
    assert kept(desk) == told


def test_a_check_that_takes_too_long_is_ended(
    desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run
    for limit in ("WHOLE_MS", "SINCE_MS"):
        monkeypatch.setattr(chain_checks, limit, 1)
    assert refused_by_time(desk)
    assert kept(desk) is None


def refused_by_time(desk: Desk) -> bool:
    with pytest.raises(Exception, match="statement timeout") as error:
        chain_checks.verify(desk.organization, ANA)
    return db.is_too_long(error.value)


def test_one_check_is_made_at_a_time(desk: Desk, run: Run) -> None:
    assert run
    with db.everywhere() as connection:
        assert hash_chain.try_alone(connection)
        assert refused(desk) == "check_is_running"
    assert chain_checks.verify(desk.organization, ANA).verdict.at <= datetime.now(UTC)
