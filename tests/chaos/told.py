"""Whether people were told of each run once, as it ended, and of nothing that did not happen."""

from collections.abc import Iterator

from tests.support import watching

TWICE = """
select email, kind, run_id, count(*) from notices
where run_id is not null group by 1, 2, 3 having count(*) > 1
    and (kind <> 'waiting' or count(*) > (
        select count(*) from attempts a where a.run_id = notices.run_id and ended = 'waiting'))
"""
NOBODY = """
select id, status from runs where finished_at is not null and not exists (
    select from notices n
    where n.run_id = runs.id and n.email = runs.requested_email and n.kind = any(
        case runs.status
            when 'completed' then array['succeeded', 'recovered']
            when 'timed_out' then array['failed']
            else array[runs.status] end))
    and exists (select from people p
        where p.organization_id = runs.organization_id and p.email = runs.requested_email)
"""
ANOTHER_END = """
select n.run_id, n.kind, r.status from notices n join runs r on r.id = n.run_id
where not n.kind = any(case r.status
    when 'completed' then array['succeeded', 'recovered', 'fresh', 'waiting']
    when 'partial' then array['partial', 'fresh', 'waiting']
    when 'timed_out' then array['failed', 'waiting']
    else array[r.status, 'waiting'] end)
"""
NOT_YET = "select 1 from news"
HOW_OFTEN = "select kind, count(*) from notices group by 1"


def is_all_told() -> bool:
    """Return whether no news waits to be told."""
    return not watching.ask(NOT_YET)


def wrong_notices() -> Iterator[str]:
    """Say of which runs nobody was told, or twice, or otherwise than they ended."""
    if not is_all_told():
        yield "there are news that were told to nobody"
    for email, kind, run, count in watching.ask(TWICE):
        yield f"{email} was told {count} times that run {run} is {kind}"
    for run, status in watching.ask(NOBODY):
        yield f"run {run} is {status}, and who asked for it was not told"
    for run, kind, status in watching.ask(ANOTHER_END):
        yield f"run {run} is {status}, and was told as {kind}"
