"""Years of runs with their outcomes, made up in SQL: fast, and the same mixture every time."""

import time
from collections.abc import Mapping

import psycopg

from sync_core import organizations
from sync_core.catalogue.resources import CATALOGUE
from sync_core.foundation import db, tables
from sync_core.organizations import Organization

DAYS = 730  # that the runs spread over
OUTCOMES = 11  # of each run that changed anything; some 10 a run

# Asked for between 7 and 19 o'clock, evenly; the newest a moment ago.
RUNS = """
insert into runs (organization_id, resource, trigger, status, attempt, requested_by,
    requested_email, requested_team, queued_at, active_since, started_at, finished_at, message,
    log_message, error_code, phases)
select %(org)s, resource, trigger, status, 1, 'Person ' || who, 'person' || who || '@example.org',
    'Team ' || who %% 4, at, at, case when status <> 'cancelled' then at + wait end,
    at + wait + took, 'Processed 800 rows.', 'Processed 800 rows.', error,
    jsonb_build_object('downloading', round((0.5 * seconds)::numeric, 3),
        'processing', round((0.2 * seconds)::numeric, 3),
        'saving', round((0.3 * seconds)::numeric, 3))
from (
    select *, make_interval(secs => seconds) as took,
        case status when 'timed_out' then 'timed_out' when 'failed' then
            (array['sheet_not_shared','google_busy','no_csv_file','missing_column'])[1 + who %% 4]
        end as error
    from (
        select n, %(start)s::timestamptz + make_interval(days => (n * %(days)s / %(runs)s)::integer)
                + make_interval(secs => 25200 + 43200 * ((n * %(days)s %% %(runs)s)::float8
                    / %(runs)s)) as at,
            (array['therapists','locations','admins','services'])[1 + (random() * 3.999)::integer
                %% 4] as resource,
            (array['page','page','page','schedule','shell'])[1 + n %% 5] as trigger,
            case when chance < 0.84 then 'completed' when chance < 0.92 then 'partial'
                when chance < 0.96 then 'failed' when chance < 0.97 then 'timed_out'
                else 'cancelled' end as status,
            (random() * 40)::integer as who, -20 * ln(1 - random() * 0.999) as seconds,
            make_interval(secs => -2 * ln(1 - random() * 0.999)) as wait
        from (select n, random() as chance from generate_series(1::bigint, %(runs)s) n) c
    ) a
) b
order by n
"""
TALLIES = """
insert into tallies (run_id, entity, read, created, updated, unchanged, skipped, failed)
select id, entity, 800, 4, 4, 790 - failed, 2, failed from (
    select r.id, e.entity, case when r.status = 'partial' and e.first then 3 else 0 end as failed
    from runs r join unnest(%(resources)s::text[], %(entities)s::text[], %(first)s::boolean[])
        as e(resource, entity, first) using (resource)
    where r.status in ('completed', 'partial')
) t order by id
"""
CHECKPOINTS = """
insert into checkpoints (run_id, entity, staged, complete, sheet)
select t.run_id, t.entity, t.read, true, jsonb_build_object('name', 'made up', 'headers',
    to_jsonb(array['Code','Name','City','Phone'] || ('Column ' || t.run_id / 50000)))
from tallies t
"""
OUTCOMES_OF_RUNS = """
insert into outcomes (run_id, entity, kind, row_number, key, name, row_hash, changes, issues, raw,
    at)
select r.id, e.entity, case when failed then 'failed' else 'updated' end, k,
    case when failed then 'BAD-' || (random() * 3000)::integer else 'KEY-' || r.id || '-' || k end,
    'Row ' || k, r.id * 31 + k,
    case when not failed then '{"city": ["Perth", "Hobart"]}'::jsonb end,
    case when failed then jsonb_build_array(jsonb_build_object('field', 'Phone', 'code',
        (array['bad_phone','bad_email','required','not_a_number','repeated_key','not_unique'])
            [1 + (random() * random() * 5.999)::integer %% 6],
        'sentence', 'Something is wrong', 'cell', 'Sheet!D' || k)) end,
    case when failed then '{"Name": "Made up", "Phone": "not known"}'::jsonb end, r.finished_at
from (select * from runs where status in ('completed', 'partial') order by id) r
join unnest(%(resources)s::text[], %(entities)s::text[], %(first)s::boolean[])
    as e(resource, entity, first) on e.resource = r.resource and e.first
cross join generate_series(1, %(outcomes)s) k
cross join lateral (select r.status = 'partial' and k <= 3 as failed) f
"""
ISSUE_TALLIES = """
insert into issue_tallies (run_id, entity, code, rows)
select o.run_id, o.entity, i.issue ->> 'code', count(distinct o.row_number)
from outcomes o cross join jsonb_array_elements(o.issues) i(issue)
where o.kind = 'failed' group by 1, 2, 3
"""
STEPS = {
    "runs": RUNS,
    "tallies": TALLIES,
    "checkpoints": CHECKPOINTS,
    "outcomes": OUTCOMES_OF_RUNS,
    "issue_tallies": ISSUE_TALLIES,
}


def fill(connection: psycopg.Connection, runs: int) -> Organization:
    """Fill an empty database with so many runs of one organization, some ten outcomes each."""
    with db.everywhere() as ours:
        organization = organizations.add(ours, "benchmark", "Benchmark", "AU", "Australia/Perth")
    start = f"current_date - {DAYS - 1}"
    connection.execute(f"select make_outcome_partitions({start}, {DAYS // 28})")
    connection.execute("set session_replication_role = replica")  # no triggers: nothing is wrong
    connection.execute("set synchronous_commit = off; set jit = off; set work_mem = '256MB'")
    ((first,),) = connection.execute(f"select ({start})::timestamptz").fetchall()
    facts = {"org": organization.id, "runs": runs, "start": first, "days": DAYS, **_catalogue()}
    for name, statement in STEPS.items():
        begin = time.perf_counter()
        count = connection.execute(statement.encode(), facts).rowcount
        print(f"{count:,} {name} in {time.perf_counter() - begin:.0f} s", flush=True)
    _as_if_it_had_always_been_there(connection)
    return organization


def _catalogue() -> Mapping[str, object]:
    entities = [
        (resource.name, entity.name, place == 0)
        for resource in CATALOGUE.values()
        for place, entity in enumerate(resource.entities)
    ]
    resources, names, first = map(list, zip(*entities, strict=True))
    return {"resources": resources, "entities": names, "first": first, "outcomes": OUTCOMES}


def _as_if_it_had_always_been_there(connection: psycopg.Connection) -> None:
    for table in (*STEPS, tables.actions.name):
        connection.execute(f"vacuum (analyze) {table}")
    connection.execute("checkpoint")
