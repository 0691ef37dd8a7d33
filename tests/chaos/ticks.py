"""Whether each tick of each schedule came once, however many loops looked after it."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from zoneinfo import ZoneInfo

from sync_core.organizations import timetable
from tests.support import watching

WHAT_BECAME_OF_THEM = """
select coalesce(skipped, case when late then 'started late' else 'started' end), count(*)
from schedule_ticks group by 1
"""
OF_SCHEDULES = """
select organization_id, resource, cron, since from sync_schedules
"""
NOTED = """
select at, missed from schedule_ticks where organization_id = :o and resource = :r order by at
"""
RUNS = """
select r.id, (select count(*) from schedule_ticks t where t.run_id = r.id)
from runs r where trigger = 'schedule'
"""
OTHERS = """
select t.run_id from schedule_ticks t join runs r on r.id = t.run_id where r.trigger <> 'schedule'
"""


def wrong_ticks() -> Iterator[str]:
    """Say which ticks were lost or came twice, and which runs belong to none."""
    noted = 0
    for organization_id, resource, cron, start in watching.ask(OF_SCHEDULES):
        name = f"the schedule {cron} of {resource} in {organization_id}"
        told = watching.ask(NOTED, o=organization_id, r=resource)
        noted += len(told)
        every = timetable.ticks(cron, ZoneInfo("UTC"), start)
        for at, missed in told:
            come = list(islice(every, missed + 1))
            if come[-1] != at:
                yield f"{name} noted {at} after {missed} missed ones, expected {come[-1]}"
                break
    if not noted:
        yield "no schedule ticked"
    times = Counter(dict(watching.ask(RUNS)))
    yield from (f"run {run} was started by {n} ticks" for run, n in times.items() if n != 1)
    yield from (
        f"run {run} is of a tick, and was started otherwise" for (run,) in watching.ask(OTHERS)
    )
