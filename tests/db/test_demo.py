import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sync_core import organizations, runs
from sync_core.audit import hash_chain
from sync_core.demo import history
from sync_core.foundation import db
from sync_core.organizations import Organization
from tests.support.desk import Desk

NOW = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def told(servers: object) -> Organization:
    assert servers
    with db.everywhere() as connection:
        made = organizations.add(
            connection, f"d-{uuid.uuid4().hex[:12]}", "Northwind Care", "AU", "Australia/Perth"
        )
        assert history.load(connection, made, NOW) > 300
    return made


def ask(database: psycopg.Connection, told: Organization, query: str) -> list[tuple[object, ...]]:
    return database.execute(query.encode(), {"org": told.id}).fetchall()


def test_the_history_reaches_over_90_days_and_ends_before_now(
    told: Organization, database: psycopg.Connection
) -> None:
    ((first, last, marked, count),) = ask(
        database,
        told,
        "select min(queued_at), max(finished_at), count(*) filter (where trigger = 'demo data'),"
        " count(*) from runs where organization_id = %(org)s",
    )
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    assert NOW - timedelta(days=91) < first < NOW - timedelta(days=85)
    assert NOW - timedelta(days=4) < last < NOW
    assert marked == count


def test_the_runs_stand_in_the_order_of_their_time(
    told: Organization, database: psycopg.Connection
) -> None:
    times = ask(
        database, told, "select queued_at from runs where organization_id = %(org)s order by id"
    )
    assert times == sorted(times)


def test_it_has_all_that_a_newcomer_should_see(
    told: Organization, database: psycopg.Connection
) -> None:
    def distinct(column: str) -> int:
        query = f"select count(distinct {column}) from runs where organization_id = %(org)s"
        ((count,),) = ask(database, told, query)
        assert isinstance(count, int)
        return count

    assert distinct("status") >= 4
    assert distinct("resource") == 4
    assert distinct("requested_email") >= 4
    assert distinct("requested_team") >= 3
    assert distinct("error_code") >= 3


@pytest.mark.parametrize("kind", ["created", "updated", "removed", "skipped", "failed"])
def test_its_counts_agree_with_its_outcomes(
    told: Organization, database: psycopg.Connection, kind: str
) -> None:
    ((differ, some),) = ask(
        database,
        told,
        f"select count(*) filter (where t.{kind} <> (select count(*) from outcomes o"
        f" where o.run_id = t.run_id and o.entity = t.entity and o.kind = '{kind}')),"
        f" sum(t.{kind}) from tallies t join runs r on r.id = t.run_id"
        " where r.organization_id = %(org)s",
    )
    assert differ == 0
    assert some or kind == "removed"


def test_its_failed_rows_are_counted_by_code(
    told: Organization, database: psycopg.Connection
) -> None:
    counted = ask(
        database,
        told,
        "select i.run_id, i.entity, i.code, i.rows from issue_tallies i join runs r"
        " on r.id = i.run_id where r.organization_id = %(org)s order by 1, 2, 3",
    )
    there = ask(
        database,
        told,
        "select o.run_id, o.entity, i ->> 'code', count(distinct o.row_number) from outcomes o"
        " join runs r on r.id = o.run_id cross join jsonb_array_elements(o.issues) i"
        " where o.kind = 'failed' and r.organization_id = %(org)s group by 1, 2, 3"
        " order by 1, 2, 3",
    )
    assert counted == there != []


def test_nothing_is_fresh_late_or_slow_because_of_it(told: Organization) -> None:
    with db.everywhere() as connection:
        assert runs.latest(connection, told.id) == {}
        assert runs.fresh(connection, told.id) == {}
        assert runs.usual_phases(connection, told.id, "locations") == {}


def test_the_audit_s_chain_holds_over_it(told: Organization) -> None:
    with db.everywhere() as connection:
        verdict = hash_chain.verify(connection, told)
    assert verdict.broken is None
    assert verdict.links > 300


def test_it_is_made_once(told: Organization) -> None:
    with db.everywhere() as connection:
        assert history.load(connection, told, NOW) == 0


def test_it_is_not_made_where_there_is_a_real_run(desk: Desk) -> None:
    desk.start("locations")
    with db.everywhere() as connection:
        assert history.load(connection, desk.organization, NOW) == 0


def test_it_is_listed_and_a_real_run_after_it_counts_alone(desk: Desk) -> None:
    with db.everywhere() as connection:
        history.load(connection, desk.organization, NOW)
    run = desk.start("locations")
    with db.everywhere() as connection:
        assert set(runs.latest(connection, desk.organization.id)) == {"locations"}
        first, *others = runs.history(connection, desk.organization.id)
    assert (first.id, first.trigger) == (run.id, "test")
    assert {one.trigger for one in others} == {"demo data"}
