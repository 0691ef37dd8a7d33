import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing import get_context

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from sync_core import organizations, runs
from sync_core.audit import hash_chain
from sync_core.foundation import db, tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal, Role
from sync_core.operations import administration
from sync_core.organizations import Organization, actions, policies
from sync_core.organizations.actions import Cancelled, ChangedSetting, SignedIn, Started
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.records import outcome_format
from sync_core.runs import Run, lease
from tests.support import owner
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.shell import ask

VIEWER = Person("Vera Olsen", "vera.olsen@example.org", Role.VIEWER)
FORK = get_context("fork")


def verdict(organization: Organization) -> hash_chain.Verdict:
    with db.everywhere() as connection:
        return hash_chain.verify(connection, organization)


@pytest.fixture
def synced(desk: Desk) -> Run:
    """Sync twice: rows that are created, updated, removed and failed."""
    with db.everywhere() as connection:
        policy = Policy(removal=Removal.DELETE)
        policies.put(connection, desk.organization, "locations", policy)
    first = [HEADER, row("L1"), row("L2"), row("L3"), row("L4", Email="nobody")]
    desk.sync("locations", locations=first)
    second = [HEADER, row("L1", City="Hobart"), row("L2"), row("L5"), row("L4", Email="nobody")]
    return desk.sync("locations", locations=second)


def test_every_ended_run_and_every_action_has_a_link(desk: Desk, synced: Run) -> None:
    with db.everywhere() as connection:
        actions.record(connection, desk.organization.id, ANA, SignedIn())
    found = verdict(desk.organization)
    assert found.broken is None
    assert found.links == 5  # two starts, two ends, a sign-in
    assert synced.status == "partial"


def test_a_run_on_its_way_is_not_linked_yet(desk: Desk) -> None:
    desk.write("locations", [HEADER])
    desk.start("locations")
    assert verdict(desk.organization).links == 1  # the action


def test_an_organization_without_a_past_is_whole(organization: Organization) -> None:
    found = verdict(organization)
    assert (found.links, found.head, found.broken) == (0, None, None)


RUN_COLUMNS = {
    "resource": "resource || 'x'",
    "kind": "'preview'",
    "trigger": "trigger || ' '",
    "status": "'completed'",
    "attempt": "attempt + 1",
    "crashes": "crashes + 1",
    "requested_by": "upper(requested_by)",
    "requested_email": "requested_email || 'x'",
    "requested_team": "requested_team || 'x'",
    "queued_at": "queued_at + interval '1 microsecond'",
    "active_since": "active_since + interval '1 microsecond'",
    "pushed_at": "now()",
    "started_at": "started_at + interval '1 microsecond'",
    "finished_at": "finished_at + interval '1 microsecond'",
    "message": "message || ' '",
    "log_message": "overlay(log_message placing 'X' from 1)",
    "error_code": "'internal'",
    "advice": "advice || 'x'",
    "notes": "notes || '[\"x\"]'",
    "phases": "phases || '{\"Saving\": 0}'",
    "undoes": "id",
    "plans": "'{}'",
}


def test_a_byte_changed_in_any_column_of_a_finished_run_is_found(desk: Desk, synced: Run) -> None:
    told = {}
    for column, value in RUN_COLUMNS.items():
        with owner.undone() as connection:
            connection.exec_driver_sql("set local session_replication_role = replica")
            change = f"update runs set {column} = {value} where id = {synced.id}"
            assert connection.exec_driver_sql(change).rowcount == 1
            told[column] = hash_chain.verify(connection, desk.organization).broken
    broken = f"link 4: run {synced.id} is not as it was when it was linked"
    assert told == dict.fromkeys(RUN_COLUMNS, broken)


def test_every_column_is_covered(database: psycopg.Connection) -> None:
    """A column of a later migration is named here: it needs a second version of the text."""
    for function, names in (
        ("text_of_run", ("runs", "tallies", "attempts")),
        ("text_of_action", ("actions",)),
    ):
        query = "select string_agg(prosrc, ' ') from pg_proc where starts_with(proname, %s)"
        (source,) = database.execute(query, [function]).fetchone() or ("",)
        query = "select column_name from information_schema.columns where table_name = any(%s)"
        columns = {name for (name,) in database.execute(query, [list(names)])}
        assert {name for name in columns if f'"{name}"' not in source} == set()


CHANGES = {
    "a tally": (
        "update tallies set updated = updated + 1, unchanged = unchanged - 1 where run_id = %s",
        "run {run} is not as it was when it was linked",
    ),
    "a tally that is gone": (
        "delete from tallies where run_id = %s",
        "run {run} is not as it was when it was linked",
    ),
    "the log of an attempt": (
        "update attempts set log = '[]' where run_id = %s",
        "run {run} is not as it was when it was linked",
    ),
    "a run that is gone": ("delete from runs where id = %s", "run {run} is gone"),
    "a key in the outcomes": (
        "update outcomes set key = 'L9' where run_id = %s and key = 'L5'",
        "the outcomes of run {run} (locations, rows 1 to 4,095) are not those of its end",
    ),
    "an outcome that is gone": (
        "delete from outcomes where run_id = %s and key = 'L5'",
        "the outcomes of run {run} (locations, rows 1 to 4,095) are not those of its end",
    ),
    "an outcome twice": (
        "insert into outcomes select * from outcomes where run_id = %s and key = 'L5'",
        "the outcomes of run {run} (locations, rows 1 to 4,095) are not those of its end",
    ),
    "what an update changed": (
        "update outcomes set changes = '{}' where run_id = %s and kind = 'updated'",
        "the outcomes of run {run} (locations, rows 1 to 4,095) are not those of its end",
    ),
    "a failed row's cells": (
        "update outcomes set raw = null where run_id = %s and kind = 'failed'",
        "the outcomes of run {run} (locations, rows 1 to 4,095) are not those of its end",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_what_belongs_to_a_run_is_found(
    what: str, desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    statement, told = CHANGES[what]
    if "delete from runs" in statement:
        for table in ("attempts", "tallies", "checkpoints", "actions"):
            tamper(f"delete from {table} where run_id = %s", synced.id)
        assert "action" in str(verdict(desk.organization).broken)  # its start was an action
        return
    tamper(statement, synced.id)
    assert verdict(desk.organization).broken == f"link 4: {told.format(run=synced.id)}"


BYTES = {  # one changed letter or number in each column of the outcomes
    "run_id": "run_id - 1",
    "entity": "entity || 's'",
    "kind": "upper(left(kind, 1)) || substr(kind, 2)",
    "row_number": "coalesce(row_number, 0) + 1",
    "key": "coalesce(key, '') || ' '",
    "name": "coalesce(name, '') || ' '",
    "rule": "coalesce(rule, '') || ' '",
    "row_hash": "coalesce(row_hash, 0) # 1",
    "changes": "coalesce(changes, '{}') || '{\"x\": null}'",
    "issues": "coalesce(issues, '[]') || '[0]'",
    "raw": "coalesce(raw, '{}') || '{\"x\": null}'",
    "at": "at + interval '1 microsecond'",
}


def test_a_byte_changed_in_any_column_of_any_outcome_is_found_and_named(
    desk: Desk, synced: Run, database: psycopg.Connection
) -> None:
    columns = {column.name for column in tables.outcomes.c}
    assert columns == {*BYTES, "values_hash"}  # which counts only where the values are gone
    query = "select kind, count(*) from outcomes where run_id = %s group by kind"
    kinds: dict[str, int] = dict(database.execute(query, [synced.id]).fetchall())
    assert kinds == {"created": 1, "updated": 1, "removed": 1, "failed": 1}
    found = {}
    for kind in kinds:
        for column, value in BYTES.items():
            with owner.undone() as connection:
                connection.exec_driver_sql("set local session_replication_role = replica")
                which = f"where run_id = {synced.id} and kind = '{kind}'"
                change = f"update outcomes set {column} = {value} {which}"
                assert connection.exec_driver_sql(change).rowcount == 1
                told = hash_chain.verify(connection, desk.organization).broken
                found[kind, column] = str(told)
    assert {
        case: told for case, told in found.items() if not re.search(r"run \d+ \(locations", told)
    } == {}


def test_a_number_that_only_looks_otherwise_is_a_change(
    synced: Run, tamper: Callable[..., None]
) -> None:
    """Postgres takes 1 and 1.0 for equal; what was written down is not."""
    tamper("update outcomes set changes = '{\"x\": 1}' where run_id = %s", synced.id)
    with db.everywhere() as connection:
        hashed = outcome_format.batches(f"(select * from outcomes where run_id = {synced.id})")
        roots = [row.root for row in connection.execute(sa.text(hashed))]
    tamper("update outcomes set changes = '{\"x\": 1.0}' where run_id = %s", synced.id)
    with db.everywhere() as connection:
        assert [row.root for row in connection.execute(sa.text(hashed))] != roots


def test_the_order_in_which_outcomes_stand_on_the_disk_is_no_matter(
    synced: Run, tamper: Callable[..., None]
) -> None:
    """Not even where several are of one row, or of one key."""
    tamper("update outcomes set row_number = 7 where run_id = %s and kind <> 'removed'", synced.id)
    roots = []
    which = f"run_id = {synced.id} and key"
    for key in ("L1", "L4"):
        tamper(f"create table moved as select * from outcomes where {which} = '{key}'")
        tamper(f"delete from outcomes where {which} = '{key}'")
        tamper("insert into outcomes select * from moved")
        with db.as_owner() as connection:
            connection.exec_driver_sql("drop table moved")
            hashed = outcome_format.batches(f"(select * from outcomes where run_id = {synced.id})")
            roots.append({row.root for row in connection.execute(sa.text(hashed))})
    assert roots[0] == roots[1]


ODD = (None, "", 'a"b', "back\\slash", "Zoë\u2028\x1f", "{entity} %s", "-- '; /* */")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("odd", ODD)
def test_facts_that_are_written_for_a_whole_run_are_the_same_text(odd: str | None) -> None:
    at = datetime(2026, 5, 3, 23, 59, 59, 7, tzinfo=timezone(timedelta(hours=10)))
    shared = (sql.Literal(2**40), sql.Literal(odd or "locations"), sql.Literal(at))
    values = sql.SQL("(values ('failed', {}::int, {odd}::text, {odd}::text, {}::bigint)) v {names}")
    names = sql.SQL("(kind, row_number, key, rule, row_hash)")
    one_by_one = sql.SQL("text_of_facts({}, {}, kind, row_number, key, rule, row_hash, {})")
    at_once = sql.SQL(outcome_format.facts_of_run(*shared))
    asked = sql.SQL("select {}, {} from ").format(one_by_one.format(*shared), at_once)
    for row_number, row_hash in ((7, -(2**62)), (None, None)):
        rows = values.format(row_number, row_hash, odd=odd, names=names)
        with db.everywhere() as connection:
            found = db.cursor(connection).execute(asked + rows).fetchone()
        assert found is not None
        assert found[0] == found[1] is not None


def test_a_changed_root_of_a_batch_is_found(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    tamper("update outcome_batches set root = sha256(root) where run_id = %s", synced.id)
    assert "(locations, " in str(verdict(desk.organization).broken)


def test_outcomes_rewritten_together_with_their_batches_break_the_link(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    tamper("update outcomes set name = 'Rosy' where run_id = %s and key = 'L5'", synced.id)
    tamper("delete from outcome_batches where run_id = %s", synced.id)
    source = f"(select * from outcomes where run_id = {synced.id})"
    tamper(f"insert into outcome_batches {outcome_format.batches(source)}")
    told = f"link 4: run {synced.id} is not as it was when it was linked"
    assert verdict(desk.organization).broken == told


def test_the_batch_is_named_by_its_rows(desk: Desk, tamper: Callable[..., None]) -> None:
    rows = [row(f"L{number}") for number in range(4_500)]
    run = desk.sync("locations", locations=[HEADER, *rows])
    tamper("update outcomes set name = 'Rosy' where run_id = %s and row_number = 4096", run.id)
    told = f"the outcomes of run {run.id} (locations, rows 4,096 to 8,191) are not those of its end"
    assert verdict(desk.organization).broken == f"link 2: {told}"


def test_outcomes_of_a_table_that_the_run_did_not_count_are_found(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    tamper(
        "insert into outcomes (run_id, entity, kind, key, at)"
        " values (%s, 'brands', 'created', 'B1', now())",
        synced.id,
    )
    told = f"outcomes were added to run {synced.id} (brands, records without a row, 1 to 4,096"
    assert told in str(verdict(desk.organization).broken)


@pytest.mark.parametrize(
    "change",
    [
        "name = 'Nobody'",
        "email = 'x'",
        "kind = 'cancelled'",
        "detail = '{\"a\": 1}'",
        "run_id = null",
    ],
)
def test_a_changed_action_is_found(
    change: str, desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    tamper(f"update actions set {change} where run_id = %s", synced.id)
    assert "link 3: action" in str(verdict(desk.organization).broken)


def test_a_removed_action_is_found(desk: Desk, synced: Run, tamper: Callable[..., None]) -> None:
    tamper("delete from actions where run_id = %s", synced.id)
    assert str(verdict(desk.organization).broken).endswith("is gone")


def test_a_removed_link_is_found(desk: Desk, synced: Run, tamper: Callable[..., None]) -> None:
    assert synced
    which = "where organization_id = %s and number = %s"
    tamper(f"delete from links {which}", desk.organization.id, 2)
    assert verdict(desk.organization).broken == "link 2 is gone"


def test_a_rewritten_link_is_found(desk: Desk, synced: Run, tamper: Callable[..., None]) -> None:
    tamper("update runs set message = 'rosy' where id = %s", synced.id)
    again = "content = content_of(kind, subject_id)"
    tamper(f"update links set {again} where kind = 'run' and subject_id = %s", synced.id)
    told = f"link 4 (run {synced.id}) does not follow from the one before it"
    assert verdict(desk.organization).broken == told


def test_a_chain_that_was_rewritten_as_a_whole_lacks_the_head_that_was_noted(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    noted = verdict(desk.organization).head
    assert noted
    with db.everywhere() as connection:
        assert hash_chain.holds(connection, desk.organization, noted.hex())
    tamper("update runs set message = 'rosy' where id = %s", synced.id)
    tamper("delete from links where kind = 'run' and subject_id = %s", synced.id)
    with db.as_owner() as connection:
        values = {"org": desk.organization.id, "run": synced.id}
        connection.exec_driver_sql("select add_link(%(org)s, 'run', %(run)s)", values)
    assert verdict(desk.organization).broken is None
    with db.everywhere() as connection:
        assert not hash_chain.holds(connection, desk.organization, noted.hex())


def test_a_run_that_came_past_the_triggers_is_found(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    assert synced
    tamper(
        "insert into runs (organization_id, resource, trigger, status, requested_by,"
        " requested_email, finished_at)"
        " values (%s, 'admins', 'page', 'completed', 'X', 'x@example.org', now())",
        desk.organization.id,
    )
    assert str(verdict(desk.organization).broken).endswith("was added without a link")


REFUSED = {
    "an action": "update actions set name = 'Nobody' where run_id = %s",
    "an action's removal": "delete from actions where run_id = %s",
    "a run": "update runs set message = 'rosy' where id = %s",
    "a run's removal": "delete from runs where id = %s",
    "a tally": "update tallies set read = read + 1, created = created + 1 where run_id = %s",
    "a tally's removal": "delete from tallies where run_id = %s",
    "another tally": "insert into tallies (run_id, entity) values (%s, 'brands')",
    "an attempt": "update attempts set log = '[]' where run_id = %s",
    "an attempt's removal": "delete from attempts where run_id = %s",
    "an outcome": "update outcomes set key = 'L9' where run_id = %s",
    "an outcome's values": "update outcomes set name = 'L9' where run_id = %s",
    "an outcome's removal": "delete from outcomes where run_id = %s",
    "a link": "update links set content = '' where kind = 'run' and subject_id = %s",
    "a link's removal": "delete from links where kind = 'run' and subject_id = %s",
}


@pytest.mark.parametrize("what", REFUSED)
def test_postgres_refuses_to_change(what: str, synced: Run, database: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.RaiseException), database.transaction():
        database.execute(REFUSED[what], [synced.id])


@pytest.mark.parametrize("table", ["actions", "runs", "links"])
def test_postgres_refuses_to_empty(table: str, database: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.RaiseException), database.transaction():
        database.execute(f"truncate {table} cascade")


def test_dropping_the_values_of_old_outcomes_keeps_the_chain(
    desk: Desk, synced: Run, database: psycopg.Connection, tamper: Callable[..., None]
) -> None:
    dropped = administration.drop_values(
        desk.organization, ANA, datetime.now(UTC) + timedelta(minutes=1)
    )
    assert dropped == 8  # four of each run
    (kept,) = database.execute(
        "select count(*) from outcomes where run_id = %s and num_nonnulls(name, raw) > 0",
        [synced.id],
    ).fetchone() or (None,)
    assert kept == 0
    assert verdict(desk.organization).broken is None
    tamper("update outcomes set key = 'L9' where run_id = %s and key = 'L5'", synced.id)
    assert "the outcomes of run" in str(verdict(desk.organization).broken)


def test_only_old_values_may_be_gone(desk: Desk, synced: Run, tamper: Callable[..., None]) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert administration.drop_values(desk.organization, ANA, yesterday) == 0
    tamper("update outcomes set name = null, raw = null where run_id = %s", synced.id)
    assert "the outcomes of run" in str(verdict(desk.organization).broken)


def test_values_that_are_gone_are_missed_though_their_hash_was_left(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    gone = "name = null, changes = null, issues = null, raw = null"
    kept = "values_hash = hash_of_text(text_of_values(name, changes, issues, raw))"
    tamper(f"update outcomes set {gone}, {kept} where run_id = %s", synced.id)
    told = f"link 4: the values in the outcomes of run {synced.id} (locations) were dropped"
    assert str(verdict(desk.organization).broken).startswith(told)


def test_a_hash_beside_other_values_proves_nothing(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    kept = "values_hash = hash_of_text(text_of_values(name, changes, issues, raw))"
    tamper(f"update outcomes set {kept}, name = 'Rosy' where run_id = %s", synced.id)
    assert "the outcomes of run" in str(verdict(desk.organization).broken)


def test_values_are_dropped_by_administrators_alone(desk: Desk) -> None:
    with pytest.raises(SyncError, match="may not"):
        administration.drop_values(desk.organization, VIEWER, datetime.now(UTC))


def test_the_time_zone_of_a_session_does_not_matter(
    synced: Run, database: psycopg.Connection
) -> None:
    texts = []
    for zone in ("UTC", "Australia/Perth"):
        database.execute(f"set timezone = '{zone}'")
        texts.append(database.execute("select text_of_run(%s)", [synced.id]).fetchone())
    assert texts[0] == texts[1]


# Many at once


def _end_runs_and_act(organization: Organization, resource: str, times: int) -> None:
    for _ in range(times):
        with db.everywhere() as connection:
            run = runs.start(connection, organization.id, resource, ANA, trigger="test")
            actions.record(connection, organization.id, ANA, Started(), run_id=run.id)
        with db.everywhere() as connection:
            held = lease.claim(connection, run.id, db.name())
            assert held
        with db.everywhere() as connection:
            runs.request_cancel(connection, organization.id, run.id, ANA)
            actions.record(connection, organization.id, ANA, Cancelled(), run_id=run.id)
        with db.everywhere() as connection:
            connection.exec_driver_sql("set constraints all immediate")  # as an apply does
            lease.finish(connection, held, lease.cancelled())


def test_processes_that_end_runs_and_act_at_once_make_one_chain(organization: Organization) -> None:
    names = ["locations", "admins", "therapists", "services"]
    work = [FORK.Process(target=_end_runs_and_act, args=(organization, name, 12)) for name in names]
    for process in work:
        process.start()
    for process in work:
        process.join(60)
    assert [process.exitcode for process in work] == [0] * len(names)
    found = verdict(organization)
    assert found.broken is None
    assert found.links == len(names) * 12 * 3


def test_a_transaction_that_is_not_ending_keeps_nobody_waiting(organization: Organization) -> None:
    with db.everywhere() as slow:
        actions.record(slow, organization.id, ANA, ChangedSetting())
        with db.everywhere() as quick:
            quick.exec_driver_sql("set local lock_timeout = '2s'")
            actions.record(quick, organization.id, ANA, SignedIn())
    assert verdict(organization).links == 2


def test_two_that_act_for_two_organizations_never_wait_for_each_other(
    organization: Organization,
) -> None:
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{organization.slug}-2", "Harbor Clinics")
    meet = threading.Barrier(2)

    def act(first: Organization, second: Organization) -> None:
        for _ in range(25):
            with db.everywhere() as connection:
                for one in (first, second):
                    actions.record(connection, one.id, ANA, SignedIn())
                meet.wait(10)

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(act, organization, other), pool.submit(act, other, organization)]
        for future in done:
            future.result(60)
    assert verdict(organization).links == verdict(other).links == 50
    assert verdict(organization).broken is None


# From where the last check has ended


def since_last(organization: Organization) -> hash_chain.Verdict:
    with db.everywhere() as connection:
        found = hash_chain.verify(connection, organization, since_last=True)
        hash_chain.keep(connection, organization, found)
    return found


def test_a_check_goes_on_from_where_the_last_one_has_ended(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    assert since_last(desk.organization).links == 4
    tamper("update outcomes set name = 'Rosy' where run_id = %s and key = 'L5'", synced.id)
    assert since_last(desk.organization).broken is None  # it reads only what came since
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Derby")])
    assert since_last(desk.organization).links == 6
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Perth")])
    tamper("update outcomes set name = 'Rosy' where run_id = %s", run.id)
    assert f"outcomes of run {run.id} (" in str(since_last(desk.organization).broken)
    assert f"outcomes of run {synced.id} (" in str(since_last(desk.organization).broken)


def test_what_was_added_since_past_the_triggers_is_found(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    assert since_last(desk.organization).broken is None
    copied = "organization_id, name, email, kind, detail"
    tamper(
        f"insert into actions ({copied}) select {copied} from actions where run_id = %s", synced.id
    )
    assert str(since_last(desk.organization).broken).endswith("was added without a link")


def test_a_check_begins_anew_where_the_last_head_is_gone(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    assert since_last(desk.organization).broken is None
    tamper("update links set hash = sha256(hash) where kind = 'run' and subject_id = %s", synced.id)
    assert f"link 4 (run {synced.id}) does not follow" in str(since_last(desk.organization).broken)


# Every night


def test_the_nightly_check_is_done_once_a_night(desk: Desk, synced: Run) -> None:
    assert synced
    hash_chain.verify_by_night()
    with db.everywhere() as connection:
        first = hash_chain.latest(connection, desk.organization.id)
    assert first
    assert first.links == 4
    hash_chain.verify_by_night()
    with db.everywhere() as connection:
        assert hash_chain.latest(connection, desk.organization.id) == first


def test_the_nightly_check_tells_what_is_broken(synced: Run, tamper: Callable[..., None]) -> None:
    tamper("update runs set message = 'rosy' where id = %s", synced.id)
    told = hash_chain.verify_by_night()
    assert f"Northwind Care: link 4: run {synced.id} is not as it was when it was linked" in told


def test_a_second_maintenance_leaves_the_check_to_the_first(
    organization: Organization, database: psycopg.Connection
) -> None:
    with database.transaction():
        database.execute("select pg_advisory_xact_lock(1937337956)")
        hash_chain.verify_by_night()
        with db.everywhere() as connection:
            assert hash_chain.latest(connection, organization.id) is None
    hash_chain.verify_by_night()
    with db.everywhere() as connection:
        assert hash_chain.latest(connection, organization.id)


# From the shell


def test_verify_tells_that_the_chain_is_whole_and_its_head(desk: Desk, synced: Run) -> None:
    assert synced
    head = verdict(desk.organization).head
    assert head
    done = ask("verify", "--org", desk.organization.slug, "--head", head.hex())
    assert done.exit_code == 0
    assert f"4 links, head {head.hex()}" in done.stdout


def test_verify_names_the_first_broken_link_and_has_an_exit_code(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    tamper("update runs set message = 'rosy' where id = %s", synced.id)
    done = ask("verify", "--org", desk.organization.slug)
    assert done.exit_code == 8
    assert f"the chain is broken: link 4: run {synced.id} is not" in done.stdout


def test_verify_misses_a_head_that_was_noted(desk: Desk, synced: Run) -> None:
    assert synced
    done = ask("verify", "--org", desk.organization.slug, "--head", "00" * 32)
    assert done.exit_code == 8
    assert "in none of these chains" in done.stdout
