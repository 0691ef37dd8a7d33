"""A witness in Postgres itself: who wrote what, and in which order it was committed."""

import signal
from typing import Any

import psutil
import psycopg

from sync_core.catalogue import resources
from tests.support import owner, processes, watching
from tests.support.waiting import eventually

INSTALL = """
create schema chaos;
create table chaos.writes (
    id bigint generated always as identity,
    what text not null,  -- claimed, ended, page, tally, or the name of a table
    run_id bigint,
    attempt integer,
    worker text not null default current_setting('application_name'));
create table chaos.changes (
    id bigint generated always as identity,
    run_id bigint not null,
    status text not null,
    pushed_at timestamptz,
    cancel boolean not null default false,
    at timestamptz not null default clock_timestamp());

create function chaos.see_attempt() returns trigger language plpgsql as $$ begin
    insert into chaos.writes (what, run_id, attempt)
    values (case when tg_op = 'INSERT' then 'claimed' else 'ended' end, new.run_id, new.attempt);
    return null;
end $$;
create function chaos.see_row() returns trigger language plpgsql as $$ begin
    insert into chaos.writes (what, run_id)
    values (case tg_table_name when 'tallies' then 'tally' else 'page' end, new.run_id);
    return null;
end $$;
create function chaos.see_table() returns trigger language plpgsql as $$ begin
    insert into chaos.writes (what) values (tg_table_name);
    return null;
end $$;
create function chaos.see_run() returns trigger language plpgsql as $$ begin
    insert into chaos.changes (run_id, status, pushed_at)
    values (new.id, new.status, new.pushed_at);
    return null;
end $$;
create function chaos.see_cancel() returns trigger language plpgsql as $$ begin
    insert into chaos.changes (run_id, status, cancel) values (new.run_id, 'running', true);
    return null;
end $$;

create trigger chaos after insert on attempts for each row execute function chaos.see_attempt();
create trigger chaos_end after update on attempts for each row
    when (new.ended_at is not null) execute function chaos.see_attempt();
create trigger chaos after insert or update on checkpoints
    for each row execute function chaos.see_row();
create trigger chaos after insert on tallies for each row execute function chaos.see_row();
create trigger chaos after insert or update on runs for each row execute function chaos.see_run();
create trigger chaos after update on leases for each row
    when (old.cancel_requested_at is null and new.cancel_requested_at is not null)
    execute function chaos.see_cancel();

create view chaos.seen as  -- the writes, with their transactions and the attempts that wrote
    select w.*, w.xmin::text as tx, pg_xact_commit_timestamp(w.xmin) as committed,
        a.run_id as its_run, a.attempt as its_attempt, organization_id, resource
    from chaos.writes w left join attempts a using (worker) left join runs on runs.id = a.run_id;

grant usage on schema chaos to public;
grant select, insert on all tables in schema chaos to public;  -- the program writes them
"""
SEE_TABLE = """
create trigger chaos after insert or update or delete on {} for each statement
    execute function chaos.see_table()
"""

LATE = """
select w.what, w.its_run, w.its_attempt, w.committed - e.committed as late
from chaos.seen w join chaos.seen e
    on e.what = 'ended' and e.run_id = w.its_run and e.attempt = w.its_attempt
where w.what not in ('claimed', 'ended') and w.tx <> e.tx and w.committed > e.committed
"""
OVERLAP = """
select w.what, w.its_run, w.its_attempt, c.run_id, c.attempt, w.committed - c.committed as late
from chaos.seen w
join chaos.seen c on c.what = 'claimed' and c.organization_id = w.organization_id
    and c.resource = w.resource and (c.its_run, c.its_attempt) <> (w.its_run, w.its_attempt)
join chaos.seen mine on mine.what = 'claimed'
    and (mine.run_id, mine.attempt) = (w.its_run, w.its_attempt)
where w.what not in ('claimed', 'ended')
    and c.committed > mine.committed and w.committed > c.committed
"""
TORN = """
select w.what, w.its_run, w.its_attempt from chaos.seen w
where w.what not in ('claimed', 'ended', 'page') and not exists (
    select from chaos.writes e where e.what = 'ended' and e.xmin::text = w.tx
        and e.run_id = w.its_run and e.attempt = w.its_attempt)
"""
TWO_ACTIVE = """
select a.id, b.id from runs a join runs b using (organization_id, resource)
where a.id < b.id and a.plans is null  -- while it waits for a person it is not active
    and (a.finished_at is null or b.queued_at < a.finished_at - interval '50 milliseconds')
"""


def install() -> None:
    """Let Postgres note commit times and every write; takes a restart."""
    with owner.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("alter system set track_commit_timestamp = on")
        watch(cursor)
    first = processes.postmaster()
    processes.kill(first, signal.SIGINT)
    eventually(lambda: not psutil.pid_exists(first))
    eventually(watching.postgres_answers)


def watch(cursor: psycopg.Cursor[Any]) -> None:
    """Note every write of a database whose server notes commit times."""
    cursor.execute(INSTALL)
    for table in ("outcomes", *resources.ENTITIES):
        cursor.execute(SEE_TABLE.format(table).encode())
