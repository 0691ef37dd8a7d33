"""Who owns the tables switches the triggers off; a head that was kept finds what they did."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from sync_core.audit import exports, hash_chain
from sync_core.audit.heads import HeadsFile
from sync_core.foundation import db, settings, walls
from sync_core.operations import administration
from sync_core.runs import Run
from sync_core.runs.filters import Filter
from tests.support import owner
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.shell import ask

TRAIL = ("runs", "actions", "links", "tallies", "attempts", "outcomes", "outcome_batches")
NEW = ("verifications", "issue_tallies")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with monkeypatch.context() as environment:
        environment.setenv("SYNCDESK_HEADS_FILE", str(tmp_path / "heads.jsonl"))
        settings.current.cache_clear()
        yield tmp_path / "heads.jsonl"
    settings.current.cache_clear()


@pytest.fixture
def runs(desk: Desk) -> list[Run]:
    """Sync three times: six links, of which the last of each run is its end."""
    return [desk.sync("locations", locations=[HEADER, row("L1", City=c)]) for c in "ABC"]


def check(desk: Desk) -> hash_chain.Verdict:
    with db.everywhere() as connection:
        found = hash_chain.verify(connection, desk.organization)
        hash_chain.keep(connection, desk.organization, found)
    return found


def save(desk: Desk, path: Path) -> None:
    wanted = Filter(organizations=(desk.organization.id,))
    exports.save(exports.trail([(desk.organization, ANA)], wanted), path)


REHASH = """
do $$
declare one record; before bytea; far bytea;
begin
    for one in select * from links where organization_id = {org} order by number loop
        select hash into before from links
            where organization_id = {org} and number = one.number - 1;
        select hash into far from links where organization_id = {org} and number = one.jump;
        update links set content = content_of(one.kind, one.subject_id, one.form),
            hash = hash_of_link(before, far, {org}, one.number, one.jump, one.kind, one.subject_id,
                                content_of(one.kind, one.subject_id, one.form))
        where organization_id = {org} and number = one.number;
    end loop;
end $$
"""


LIES = {
    "a function that answers with what was linked": """
        create or replace function content_of(kind text, subject bigint, form smallint)
        returns bytea language sql stable as $$
            select content from links l where l.kind = $1 and l.subject_id = $2
        $$
    """,
    "a function that reads another table": """
        create table runs_of_before as select * from runs;
        grant select on runs_of_before to program;
        do $$
        begin
            execute replace(
                pg_get_functiondef('text_of_run(bigint)'::regprocedure), 'from runs',
                'from runs_of_before');
        end $$
    """,
    "a better match": """
        create function content_of(kind text, subject bigint, form integer) returns bytea
        language sql stable as $$ select null::bytea $$
    """,
    "a schema that is asked first": """
        create schema program;
        create view program.runs as select * from public.runs;
        grant usage on schema program to program;
        grant select on program.runs to program
    """,
    "built-in functions that are asked last": """
        alter function content_of(text, bigint, smallint) set search_path = public, pg_catalog
    """,
    "a view": """
        alter table issue_tallies rename to issue_tallies_of_now;
        create view issue_tallies as select * from issue_tallies_of_now;
        grant select on issue_tallies to program
    """,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_check_finds_that_postgres_was_taught_to_lie(lie: str, desk: Desk) -> None:
    """Heads would not: the links stay as they are, and the check is told what they say."""
    desk.sync("locations", locations=[HEADER, row("L1")])
    with owner.undone() as connection:
        assert hash_chain.verify(connection, desk.organization).broken is None
        connection.exec_driver_sql(LIES[lie])
        connection.exec_driver_sql("set local role program")
        walls.open_all(connection)
        assert hash_chain.verify(connection, desk.organization).broken


def attack(database: psycopg.Connection, desk: Desk, rewritten: int, cut: int) -> None:
    """Rewrite a run's end, hash all links anew, and cut off the last ones, as the owner can."""
    tables = [*TRAIL, *NEW]
    org = desk.organization.id
    with database.transaction():
        for table in tables:
            database.execute(f"alter table {table} disable trigger all")
        database.execute("update runs set message = 'All rosy.' where id = %s", [rewritten])
        database.execute(REHASH.format(org=org))
        last = "select max(number) from links where organization_id = %s"
        gone = database.execute(
            f"delete from links where organization_id = %s and number > ({last}) - %s"
            " returning kind, subject_id",
            [org, org, cut],
        ).fetchall()
        for kind, subject in sorted(gone):
            database.execute(f"delete from {kind}s where id = %s", [subject])
            if kind == "run":
                for table in ("tallies", "attempts", "issue_tallies", "outcomes"):
                    database.execute(f"delete from {table} where run_id = %s", [subject])
                database.execute("delete from outcome_batches where run_id = %s", [subject])
        for table in tables:
            database.execute(f"alter table {table} enable trigger all")


def forget_checks(database: psycopg.Connection, desk: Desk) -> None:
    with database.transaction():
        database.execute("alter table verifications disable trigger all")
        database.execute(
            "delete from verifications where organization_id = %s", [desk.organization.id]
        )
        database.execute("alter table verifications enable trigger all")


def test_a_check_that_kept_the_head_finds_what_the_owner_rewrote_and_cut_off(
    desk: Desk, runs: list[Run], database: psycopg.Connection
) -> None:
    assert check(desk).broken is None
    attack(database, desk, runs[0].id, cut=2)
    told = str(check(desk).broken)
    assert told.startswith("links 5 to 6 are gone from the end: the check of ")
    with db.everywhere() as connection:  # from where the last check has ended, it is found, too
        again = hash_chain.verify(connection, desk.organization, since_last=True)
    assert again.broken == told


def test_between_two_heads_that_were_kept_the_rewriting_is_named(
    desk: Desk, database: psycopg.Connection
) -> None:
    for city in "ABC":
        run = desk.sync("locations", locations=[HEADER, row("L1", City=city)])
        assert check(desk).broken is None
    attack(database, desk, run.id, cut=0)
    told = str(check(desk).broken)
    assert told.startswith("link 6 has another hash than the check of ")
    assert told.endswith("has kept, so at least one of links 5 to 6 was rewritten")


def test_the_file_outside_finds_it_where_nothing_inside_survives(
    desk: Desk, runs: list[Run], database: psycopg.Connection, file: Path
) -> None:
    HeadsFile().keep()
    assert check(desk).broken is None
    attack(database, desk, runs[0].id, cut=2)
    forget_checks(database, desk)
    line = [json.loads(one)["organization"] for one in file.read_text().splitlines()]
    place = line.index(desk.organization.slug) + 1
    told = f"links 5 to 6 are gone from the end: line {place} of the file of heads has kept"
    done = ask("verify", "--org", desk.organization.slug)
    assert done.exit_code == 8
    assert told in done.stdout


def test_the_manifest_of_a_file_finds_it_too(
    desk: Desk, database: psycopg.Connection, tmp_path: Path
) -> None:
    first = desk.sync("locations", locations=[HEADER, row("L1")])
    save(desk, tmp_path / "trail.csv")
    desk.sync("locations", locations=[HEADER, row("L2")])
    attack(database, desk, first.id, cut=2)
    told = str(check(desk).broken)
    assert told.startswith("link 2 has another hash than the manifest of the file audit-")
    assert told.endswith("so at least one of links 1 to 2 was rewritten")


def test_without_any_kept_head_the_attack_is_seamless(
    desk: Desk, runs: list[Run], database: psycopg.Connection
) -> None:
    """So the tests above find it by the heads, and by nothing that the attack forgot."""
    attack(database, desk, runs[0].id, cut=2)
    assert check(desk).broken is None


@pytest.mark.parametrize("table", [*TRAIL, *NEW])
def test_every_table_of_the_trail_refuses_to_be_emptied(
    table: str, database: psycopg.Connection
) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="TRUNCATE is refused"):
        database.execute(f"truncate {table} cascade")


def test_each_month_of_outcomes_refuses_it_by_itself(database: psycopg.Connection) -> None:
    """Those that are made later, too."""
    months = (
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'outcomes'::regclass"
    )
    with database.transaction(force_rollback=True):
        database.execute("select make_outcome_partitions(date '2091-01-01', 1)")
        found = [name for (name,) in database.execute(months)]
        assert {"outcomes_other", "outcomes_2091_01", "outcomes_2091_02"} < set(found)
        for name in found:
            refused = pytest.raises(psycopg.errors.RaiseException, match="TRUNCATE is refused")
            with refused, database.transaction():
                database.execute(f"truncate {name}")


def test_what_was_verified_and_counted_stays(desk: Desk, database: psycopg.Connection) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1", Email="nobody")])
    check(desk)
    for change in (
        f"update verifications set broken = null where organization_id = {desk.organization.id}",
        f"delete from verifications where organization_id = {desk.organization.id}",
        f"update issue_tallies set rows = 0 where run_id = {run.id}",
        f"delete from issue_tallies where run_id = {run.id}",
        f"insert into issue_tallies values ({run.id}, 'locations', 'bad_phone', 3)",
    ):
        with pytest.raises(psycopg.errors.RaiseException):
            database.execute(change)


def test_a_count_of_issues_that_the_owner_changed_is_found(
    desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1", Email="nobody")])
    with database.transaction():
        database.execute("set local session_replication_role = replica")
        database.execute("update issue_tallies set rows = 7 where run_id = %s", [run.id])
    told = f"link 2: the count of bad_email in run {run.id} (locations) is not that of its rows"
    assert check(desk).broken == told


def test_dropping_old_values_breaks_neither_counts_nor_kept_heads(desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L1", Email="nobody")])
    assert check(desk).broken is None
    administration.drop_values(desk.organization, ANA, datetime.now(UTC) + timedelta(minutes=1))
    assert check(desk).broken is None
