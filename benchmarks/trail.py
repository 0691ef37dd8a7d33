"""Made-up runs and actions by the million, written past the triggers: their speed is no subject."""

import sqlalchemy as sa

from sync_core import organizations
from sync_core.foundation import db
from sync_core.organizations import Organization
from tests.support import owner

STATUSES = ("completed", "partial", "failed", "cancelled", "timed_out")
PAST = "set local session_replication_role = replica"
RUNS = """
insert into runs (organization_id, resource, trigger, status, attempt, requested_by,
    requested_email, requested_team, queued_at, active_since, pushed_at, started_at, finished_at,
    message, log_message, error_code, advice, phases)
select :org, (array['locations','therapists','services','admins'])[1 + n % 4],
    (array['page','page','page','command line','schedule'])[1 + n % 5], status, 1,
    'Person ' || who, 'person' || who || '@example.org', 'Team ' || who % 9,
    at, at, at, at + interval '1 s', at + interval '1 s' + n % 97 * interval '0.7 s',
    'Processed ' || n % 900 || ' locations: 3 created, 5 updated.',
    'Processed ' || n % 900 || ' locations: 3 created, 5 updated, 1 failed: Clinic ' || n
        || ' (Invalid phone format), and "quoted", too.',
    case when status in ('failed','timed_out') then
        (array['sheet_not_shared','csv_unavailable','timed_out','missing_column'])[1 + n % 4] end,
    '', '{"downloading": 1.5, "processing": 0.25, "saving": 0.125}'
from (select n, n % 997 * 31 % 40 + 1 as who, now() - (:rows - n) * interval '1 min' as at,
        case when n % 100 < 80 then 'completed' when n % 100 < 92 then 'partial'
             when n % 100 < 97 then 'failed' when n % 100 < 99 then 'cancelled'
             else 'timed_out' end as status
    from generate_series(1, :rows) n) made_up
order by at
"""
TALLIES = """
insert into tallies (run_id, entity, read, created, updated, unchanged, failed)
select id, 'locations', 9 + id % 900, 3, 5, id % 900, 1 from runs
where organization_id = :org and status in ('completed', 'partial') order by id
"""
ACTIONS = """
insert into actions (organization_id, at, name, email, team, kind, resource, run_id)
select organization_id, queued_at, requested_by, requested_email, requested_team, 'started',
    resource, id from runs where organization_id = :org and trigger <> 'schedule' order by id
"""


def fill(rows: int) -> Organization:
    """Make an organization with so many runs, their tallies, and the actions that started them."""
    with db.as_owner() as connection:
        made = organizations.add(connection, f"trail-{rows}", "Northwind Care")
        connection.execute(sa.text(PAST))
        for statement in (RUNS, TALLIES, ACTIONS):
            connection.execute(sa.text(statement), {"org": made.id, "rows": rows})
    with owner.connect() as connection:
        connection.execute("vacuum (analyze) runs, tallies, actions")
    return made
