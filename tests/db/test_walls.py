"""Row-level security: the wall behind the queries, and what the program's role may not do."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa

from sync_core import organizations
from sync_core.audit import hash_chain
from sync_core.execution import maintenance
from sync_core.foundation import db, settings, tables, walls
from sync_core.foundation.embedded import Urls
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.operations import syncs
from sync_core.organizations import Organization
from sync_core.records import outcomes, reasons
from sync_core.records.outcomes import Wanted
from sync_core.runs import Run, dismissals, lease
from sync_core.runs.lease import LeaseLostError
from tests.support import owner
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

WALLED = sorted(set(tables.metadata.tables) - walls.OPEN.keys())
TRAIL = ("runs", "actions", "links", "outcomes", "tallies", "issue_tallies", "attempts")
PRESENT = {"runs", "outcomes", "actions", "links", "locations", "sources", "news"}
OF_A_RUN = {"attempts", "checkpoints", "tallies", "outcome_batches", "issue_tallies", "dismissals"}


@pytest.fixture
def other(servers: Urls) -> Organization:
    assert servers
    with db.everywhere() as connection:
        return organizations.add(connection, f"other-{uuid.uuid4().hex[:12]}", "Southwind Care")


@pytest.fixture
def synced(desk: Desk) -> Run:
    run = desk.sync("locations", locations=[HEADER, row("L1"), row("L2"), row("")])
    with db.within(desk.organization.id) as connection:
        dismissals.save(connection, run.id, ANA.email)
    return run


def found(connection: db.Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar_one())


def whose(table: str) -> str:
    """Return the condition that a row is of the organization %(org)s."""
    of_run = "run_id in (select id from runs where organization_id = %(org)s)"
    if table == "upload_chunks":
        return f"upload_id in (select id from uploads where {of_run})"
    return of_run if table in walls.BEHIND else "organization_id = %(org)s"


def test_every_table_has_a_wall_or_a_reason(database: psycopg.Connection) -> None:
    """A new table that says whose its rows are gets its wall by itself."""
    query = """
        select relname from pg_class join pg_policy on polrelid = pg_class.oid
        where relrowsecurity and relnamespace = 'public'::regnamespace
    """
    assert sorted(name for (name,) in database.execute(query)) == WALLED


def test_no_table_that_reaches_an_organization_is_open(database: psycopg.Connection) -> None:
    """Asked of Postgres: by foreign keys, over however many, or by a column of such a name."""
    query = """
        with recursive reaching(oid) as (
            select attrelid from pg_attribute
            where attname ~ '^(organization|run|upload|batch)_id$' and attnum > 0
            union select conrelid from pg_constraint
                join reaching on confrelid = reaching.oid where contype = 'f'
        )
        select relname from pg_class join reaching using (oid)
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm', 'f')
            and not relispartition and not relrowsecurity
    """
    assert database.execute(query).fetchall() == []


def test_what_a_run_has_staged_stands_under_its_number_and_no_other_name(
    desk: Desk, database: psycopg.Connection
) -> None:
    """A policy would forbid COPY: no query can forget whose a table is that it must name."""
    preview = desk.preview("locations", locations=[HEADER, row("L1")])
    query = """
        select relname, substring(relname from '_([0-9]+)$')::bigint
        from pg_class
        where relnamespace = 'staging'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
    """
    staged: dict[str, int | None] = dict(database.execute(query).fetchall())
    assert preview.id in staged.values()
    assert [name for name, run in staged.items() if run is None] == []


def test_tables_of_a_run_are_named_by_who_works_on_it_or_finds_it() -> None:
    """Found by reading the code; a plan that is read is asked for behind the wall of its run."""
    names = re.compile(r"plan_format\.(?:table_name|SCHEMA)|(?<!_)staging\.table\(")
    named = {
        str(path.relative_to(settings.ROOT / "sync_core"))
        for path in (settings.ROOT / "sync_core").rglob("*.py")
        if names.search(path.read_text())
    }
    assert {name for name in named if not name.startswith("engine/")} == {
        "records/missing.py",
        "records/planned.py",
    }


def test_a_plan_is_read_within_its_organization_alone(desk: Desk, other: Organization) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    preview = desk.preview("locations", locations=[HEADER, row("L1", "Another name"), row("")])
    asked = Wanted(list(OutcomeKind))
    questions = (
        lambda c: outcomes.count(c, preview, asked, ANA),
        lambda c: outcomes.read(c, preview, asked, ANA),
        lambda c: outcomes.by_column(c, preview),
        lambda c: reasons.of_run(c, preview),
    )
    for question in questions:
        with db.within(preview.organization_id) as connection:
            assert question(connection)
        with db.within(other.id) as connection:
            assert not question(connection)


def test_what_sees_past_the_walls_is_known(database: psycopg.Connection) -> None:
    """Views and functions that work as the owner, whom no wall binds, and that we may ask."""
    views = """
        select relname, pg_get_viewdef(oid) ~ 'organizations_within' from pg_class
        where relkind = 'v' and relnamespace = 'public'::regnamespace
            and not coalesce('security_invoker=true' = any (reloptions), false)
            and has_table_privilege('program', oid, 'select')
        order by 1
    """
    functions = """
        select proname from pg_proc
        where prosecdef and has_function_privilege('program', oid, 'execute') order by 1
    """
    looked_at = [(name, within) for name, within in database.execute(views) if "pg_" not in name]
    assert looked_at == [("actions_to_search", True), ("runs_to_search", True)]
    may = {name for (name,) in database.execute(functions)}
    assert may == {"make_outcome_partitions"}


@pytest.mark.parametrize("table", WALLED)
def test_a_query_that_forgets_its_organization_finds_nothing_of_others(
    table: str, synced: Run, other: Organization
) -> None:
    with db.within(other.id) as connection:
        assert found(connection, table) == 0
    with db.within() as connection:
        assert found(connection, table) == 0
    with db.engine().begin() as connection:  # which says nothing of whose it is
        assert found(connection, table) == 0
    if table in PRESENT | OF_A_RUN:
        with db.within(synced.organization_id) as connection:
            assert found(connection, table) > 0


@pytest.mark.parametrize("view", ["runs_to_search", "actions_to_search"])
def test_a_search_that_forgets_its_organization_finds_nothing_of_others(
    view: str, synced: Run, other: Organization
) -> None:
    with db.within(other.id) as connection:
        assert found(connection, view) == 0
    with db.within(synced.organization_id, other.id) as connection:
        assert found(connection, view) > 0


@pytest.mark.parametrize("table", sorted(PRESENT - {"links"}))
def test_rows_of_another_organization_cannot_be_written(
    table: str, synced: Run, other: Organization, database: psycopg.Connection
) -> None:
    facts = {"org": synced.organization_id}
    columns = [c.name for c in tables.metadata.tables[table].c if c.identity is None]
    listed = ", ".join(columns)
    copied = database.execute(
        f"select {listed} from {table} where {whose(table)}", facts
    ).fetchone()
    assert copied
    insert = sa.insert(tables.metadata.tables[table])
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        db.within(other.id) as connection,
    ):
        connection.execute(insert.values(dict(zip(columns, copied, strict=True))))


def test_rows_of_another_organization_are_neither_changed_nor_deleted(
    synced: Run, other: Organization
) -> None:
    with db.within(other.id) as connection:
        changed = connection.exec_driver_sql("update locations set name = 'Mine'").rowcount
        deleted = connection.exec_driver_sql("delete from locations").rowcount
        run = "update runs set message = 'Mine' where id = %(id)s"
        ran = connection.exec_driver_sql(run, {"id": synced.id}).rowcount
    assert (changed, deleted, ran) == (0, 0, 0)


def test_a_lease_is_neither_seen_nor_changed_from_another_organization(
    desk: Desk, other: Organization
) -> None:
    """Who could, would end another one's runs, or cancel them."""
    run = desk.start("locations")
    with db.everywhere() as connection:
        held = lease.claim(connection, run.id, "a worker")
    assert held
    forgetful = (
        "update leases set cancel_requested_at = now()",
        "update leases set lease_until = 'infinity'",
        "delete from leases",
    )
    with db.within(other.id) as connection:
        assert found(connection, "leases") == 0
        assert [connection.exec_driver_sql(one).rowcount for one in forgetful] == [0, 0, 0]
    with db.at_once() as connection, pytest.raises(LeaseLostError):
        lease.renew(connection, replace(held, organization_id=other.id))
    with db.at_once() as connection:
        assert not lease.renew(connection, held).cancelled
        assert found(connection, "leases") == 0  # what a heartbeat sees ends with its statement
    syncs.cancel(desk.organization, run.id, ANA)
    with db.at_once() as connection:
        assert lease.renew(connection, held).cancelled
    with db.within(run.organization_id) as connection:
        lease.finish(connection, held, lease.cancelled())  # else others find it, and end it


def test_a_row_cannot_be_given_to_another_organization(synced: Run, other: Organization) -> None:
    give = "update locations set organization_id = %(other)s"
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        db.within(synced.organization_id) as connection,
    ):
        connection.exec_driver_sql(give, {"other": other.id})


def test_a_transaction_leaves_its_walls_to_no_other(synced: Run) -> None:
    """Whoever gets the connection next finds nothing; so it is behind a pool of others', too."""
    with db.engine().connect() as connection:
        with connection.begin():
            walls.confine(connection, [synced.organization_id])
            assert found(connection, "runs") == 1
        with connection.begin():
            assert found(connection, "runs") == 0


def test_a_statement_that_was_prepared_for_one_organization_finds_nothing_for_another(
    synced: Run, other: Organization
) -> None:
    """The driver prepares what it asks often, and Postgres keeps one plan for all who ask."""
    with db.engine().connect() as connection:
        for _ in range(12):
            seen = []
            for organization_id in (synced.organization_id, other.id):
                with connection.begin():
                    walls.confine(connection, [organization_id])
                    seen.append(found(connection, "locations"))
            assert seen == [2, 0]


LEAK = """
    create function staging.leak(seen text) returns boolean language plpgsql cost 0.0000001 as
    $$ begin raise exception 'seen: %', seen; end $$
"""


@pytest.mark.parametrize(
    "ways",
    [
        ("select most_common_vals, histogram_bounds from pg_stats where tablename = 'locations'",),
        (LEAK, "select 1 from locations where staging.leak(name)"),
        ("create view staging.mine as select * from locations", "select * from staging.mine"),
        ("prepare mine as select * from locations", "execute mine"),
        ("table locations for update",),
        ("delete from locations returning *",),
        ("create temporary table mine as table locations", "table mine"),
        ("select * from ts_stat('select to_tsvector(name) from locations')",),
    ],
)
def test_there_is_no_way_round_the_walls(
    ways: tuple[str, ...], synced: Run, other: Organization, database: psycopg.Connection
) -> None:
    """Postgres itself sees to it; here is written down on what we rely."""
    assert synced
    database.execute("analyze locations")
    with db.engine().connect() as connection:
        walls.confine(connection, [other.id])
        cursor = db.cursor(connection)
        for way in ways:
            cursor.execute(way)
        assert cursor.fetchall() == []
        with cursor.copy("copy locations to stdout") as copied:
            assert list(copied) == []
        connection.rollback()


def test_the_walls_are_not_switched_off_by_a_setting(synced: Run, other: Organization) -> None:
    with (
        pytest.raises(sa.exc.ProgrammingError, match="affected by row-level security"),
        db.within(other.id, synced.organization_id) as connection,
    ):
        connection.exec_driver_sql("set local row_security = off; select from locations")


@pytest.mark.parametrize(
    "statement",
    [
        *(f"truncate {table}" for table in (*TRAIL, "locations")),
        *(f"drop table {table}" for table in (*TRAIL, "locations")),
        *(f"alter table {table} disable trigger all" for table in TRAIL),
        *(f"alter table {table} disable row level security" for table in (*TRAIL, "locations")),
        "drop policy walls on runs",
        "alter table runs add column more text",
        "create table public.mine (n integer)",
        "create function public.mine() returns integer language sql as 'select 1'",
        "alter function is_everywhere() security definer",
        "drop view runs_to_search",
        "set session_replication_role = replica",
        "alter role program bypassrls",
        "set role app",
        "create trigger mine after insert on leases for each row execute function link_action()",
        "delete from runs",
        "delete from outcomes",
        "delete from tallies",
        "update actions set name = 'Somebody else'",
        "update outcomes set kind = 'created'",
        "update tallies set failed = 0",
        "update verifications set links = 0",
        "insert into links select * from links",
        "update links set hash = ''",
        "delete from links",
        "delete from alembic_version",
        "select pg_read_file('/etc/hostname')",
        "copy runs to program 'id'",
        "copy (select 1) to '/tmp/runs'",
        "create rule r as on insert to leases do nothing",
        "create policy mine on runs using (true)",
        "create index on runs (message)",
        "create statistics staging.mine on id, status from runs",
        "select setval('runs_id_seq', 1)",
        "alter function renew_lease(bigint, bigint, integer, interval) security definer",
        "create or replace function is_everywhere() returns boolean language sql as 'select true'",
        "alter role program set syncdesk.within = 'everywhere'",
        "alter database postgres set syncdesk.within = 'everywhere'",
        "set role pg_read_all_data",
        "create event trigger mine on ddl_command_end execute function link_run()",
        "create publication mine for all tables",
    ],
)
def test_the_program_s_role_may_not(statement: str, servers: Urls) -> None:
    assert servers
    allowed = (psycopg.errors.InsufficientPrivilege,)
    with pytest.raises(sa.exc.DBAPIError) as refused, db.everywhere() as connection:
        connection.exec_driver_sql(statement)
    assert isinstance(refused.value.orig, allowed), refused.value


def test_no_links_are_forged_by_a_trigger_of_one_s_own(servers: Urls) -> None:
    assert servers
    forge = (
        "create table staging.mine (id bigint, organization_id bigint);"
        " create trigger mine after insert on staging.mine for each row"
        " execute function link_action()"
    )
    with (
        pytest.raises(sa.exc.ProgrammingError, match="permission denied for function"),
        db.everywhere() as connection,
    ):
        connection.exec_driver_sql(forge)


def test_the_program_s_role_owns_nothing_but_what_runs_stage(
    synced: Run, database: psycopg.Connection
) -> None:
    assert synced
    query = """
        select distinct relnamespace::regnamespace::text from pg_class
        where pg_get_userbyid(relowner) = 'program' and relnamespace <> 'pg_toast'::regnamespace
    """
    assert database.execute(query).fetchall() in ([("staging",)], [])


def test_counts_of_an_ended_run_of_another_organization_do_not_change(
    synced: Run, other: Organization
) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError, match="has ended: its tallies do not change"),
        db.within(other.id) as connection,
    ):
        connection.exec_driver_sql(
            "insert into tallies (run_id, entity) values (%(run)s, 'forged')", {"run": synced.id}
        )


def test_the_chain_is_verified_as_the_program_s_role(synced: Run, desk: Desk) -> None:
    with db.within(synced.organization_id) as connection:
        verdict = hash_chain.verify(connection, desk.organization)
        hash_chain.keep(connection, desk.organization, verdict)
    assert verdict.broken is None
    assert verdict.links > 0


def test_maintenance_tidies_as_the_program_s_role(
    synced: Run, database: psycopg.Connection
) -> None:
    assert synced
    maintenance._tidy()  # noqa: SLF001 - what it does once in a while
    left = "select from pg_class where relnamespace = 'staging'::regnamespace and relname ~ %s"
    assert database.execute(left, [f"_{synced.id}$"]).fetchall() == []


# Who migrates, and with which role


@pytest.fixture
def outside(
    servers: Urls, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str | None], None]]:
    """Let the program think that it works on somebody's server, with these addresses."""
    with monkeypatch.context() as environment:

        def work(database: str, migrating: str | None = None) -> None:
            environment.setenv("DATABASE_URL", database)
            environment.setenv("REDIS_URL", servers.redis)
            environment.setenv("SYNCDESK_MIGRATION_DATABASE_URL", migrating or "")
            forget()

        yield work
    forget()


def forget() -> None:
    settings.current.cache_clear()
    db.engine().dispose()
    db.engine.cache_clear()


def test_a_deployment_with_one_role_works_and_is_warned(
    servers: Urls, outside: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    outside(servers.owner)
    db.prepare()
    assert [record.message for record in caplog.records] == [db.NO_WALLS]
    with db.as_owner() as connection:
        db.migrate(connection)  # it has nobody to let in


def test_a_deployment_with_two_roles_is_not_warned(
    servers: Urls, outside: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    outside(servers.database, servers.owner)
    with db.as_owner() as connection:
        db.migrate(connection)
    db.prepare()
    assert caplog.records == []


@pytest.fixture
def elsewhere(servers: Urls) -> Iterator[Urls]:
    """Give a test a database of its own, of an owner who is no superuser, and a role beside."""
    with owner.connect() as connection:
        for role in ("migrating", "working"):
            connection.execute(f"create role {role} login")
        connection.execute("create database walls owner migrating")
        connection.execute("grant working to migrating")

    def of(role: str) -> str:
        return servers.owner.replace("//app@/postgres?", f"//{role}@/walls?")

    yield Urls(of("working"), servers.redis, of("migrating"))
    db.engine().dispose()
    with owner.connect() as connection:
        connection.execute("drop database walls with (force)")
        connection.execute("drop role working, migrating")


def test_an_owner_who_is_no_superuser_lets_the_program_in(
    elsewhere: Urls, outside: Callable[..., None]
) -> None:
    outside(elsewhere.database, elsewhere.owner)
    with pytest.raises(SyncError) as early:
        db.prepare()
    assert early.value.code == "needs_migration"
    with db.as_owner() as connection:
        db.migrate(connection)
    db.prepare()
    with db.everywhere() as connection:
        assert walls.stand(connection)
        added = organizations.add(connection, "walls", "Northwind Care")
    with db.within(added.id) as connection:
        assert hash_chain.verify(connection, added).broken is None


def test_a_database_of_several_versions_is_refused_at_every_start(
    elsewhere: Urls, outside: Callable[..., None]
) -> None:
    outside(elsewhere.database, elsewhere.owner)
    with db.as_owner() as connection:
        db.migrate(connection)
    with db.as_owner() as connection:
        connection.exec_driver_sql("insert into alembic_version values ('0001')")
    for start in (db.prepare, migrate):
        with pytest.raises(SyncError) as refused:
            start()
        assert refused.value.code == "several_versions"
        assert f"0001, {db.newest_revision()}" in refused.value.sentence
    with db.everywhere() as connection:
        assert not db.is_current(connection)  # by which workers and maintenance go


@pytest.mark.parametrize(
    "change",
    [
        "delete from alembic_version",
        "update alembic_version set version_num = ''",
        "drop table alembic_version",
    ],
)
def test_tables_of_no_known_version_are_refused_at_every_start(
    elsewhere: Urls, outside: Callable[..., None], change: str
) -> None:
    outside(elsewhere.database, elsewhere.owner)
    migrate()
    with db.as_owner() as connection:
        connection.exec_driver_sql(change)
    for start in (db.prepare, migrate):
        with pytest.raises(SyncError) as refused:
            start()
        assert refused.value.code == "no_version"


def migrate() -> None:
    with db.as_owner() as connection:
        db.migrate(connection)


def test_what_runs_have_staged_becomes_the_program_s(
    elsewhere: Urls, outside: Callable[..., None]
) -> None:
    outside(elsewhere.owner)
    with db.as_owner() as connection:
        db.migrate(connection)
        connection.exec_driver_sql("create table staging.locations_rows_7 (n integer)")
    outside(elsewhere.database, elsewhere.owner)
    with pytest.raises(SyncError) as early:
        db.prepare()
    assert early.value.code == "needs_migration"
    with db.as_owner() as connection:
        db.migrate(connection)
    with db.everywhere() as connection:
        connection.exec_driver_sql("drop table staging.locations_rows_7")


def test_an_owner_who_may_not_act_for_the_program_is_told_the_word_that_helps(
    elsewhere: Urls, outside: Callable[..., None]
) -> None:
    with owner.connect() as connection:
        connection.execute("revoke working from migrating")
    outside(elsewhere.database, elsewhere.owner)
    with pytest.raises(SyncError) as refused, db.as_owner() as connection:
        db.migrate(connection)
    assert refused.value.advice.startswith("Run GRANT working TO migrating")
