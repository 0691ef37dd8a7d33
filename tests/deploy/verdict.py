"""What became of every run of a deployment, and whether all is well again after a fault."""

import ssl
from collections.abc import Iterable, Iterator, Sequence

from sync_core import organizations
from sync_core.audit import hash_chain
from sync_core.foundation import db
from tests.chaos import oracle, witness
from tests.chaos import verdict as chaos
from tests.chaos.actors import Lane
from tests.chaos.oracle import Sync
from tests.deploy import machines, people
from tests.deploy.program import Deployment, is_ready
from tests.support import watching

RUNS = """
select id, organization_id, resource, status, message,
    cast(extract(epoch from queued_at) as float),
    cast(coalesce(extract(epoch from finished_at), 'infinity') as float)
from runs order by finished_at
"""
APPLIED = ("completed", "partial")  # each sheet has rows that fail
AT_WORK = """
select distinct split_part(worker, ':', 1) from attempts
where started_at > :since and ended in ('completed', 'partial')
"""
MAINTAINED = """
select count(*) from pg_stat_activity
where application_name like 'maintenance:%' and state_change > now() - interval '3 s'
"""
CONNECTED = """
select application_name, host(client_addr), client_port from pg_stat_activity where client_port > 0
"""


def not_well(deployed: Deployment, trust: ssl.SSLContext, since: object) -> list[str]:
    """Name what does not work yet after what was over at that time."""
    told = [f"{service.name} is not ready" for service in deployed.pages if not is_ready(service)]
    worked = {name for (name,) in watching.ask(AT_WORK, since=since)}
    told += [f"{w.name} does not work" for w in deployed.workers if w.machine not in worked]
    if watching.ask(MAINTAINED) == [(0,)]:
        told.append("maintenance does not look")
    if not people.open_page(trust, deployed.cookie_secret, "locations", "Location Management"):
        told.append("the page of locations is not drawn")
    return told


def violations(lanes: Sequence[Lane], accepted: Iterable[int]) -> Iterator[str]:
    """Say in a sentence each, which promise was broken where."""
    runs = watching.ask(RUNS)
    for run_id, _, resource, status, message, _, _ in runs:
        if status not in APPLIED:
            yield f"run {run_id} ({resource}) is {status}: {message}"
    missing = set(accepted) - {run[0] for run in runs}
    yield from (f"run {run} was accepted and has vanished" for run in missing)
    yield from _applied_twice()
    for lane in lanes:
        syncs = [
            Sync(run_id, queued, finished, status in APPLIED)
            for run_id, organization, resource, status, _, queued, finished in runs
            if (organization, resource) == (lane.organization.id, lane.resource)
        ]
        yield from oracle.wrong_effects(lane.sheets[0], syncs)
    yield from _broken_chains()


def _applied_twice() -> Iterator[str]:
    yield from chaos.wrong_writes()
    twice = "select run_id from attempts where ended in ('completed', 'partial') group by 1"
    for (run_id,) in watching.ask(f"{twice} having count(*) > 1"):
        yield f"run {run_id} was applied twice"
    for one, other in watching.ask(witness.TWO_ACTIVE):
        yield f"the runs {one} and {other} were active at once"


def _broken_chains() -> Iterator[str]:
    for organization in _everyone():
        with db.everywhere() as connection:
            found = hash_chain.verify(connection, organization)
        if found.broken:
            yield f"the chain of {organization.slug}: {found.broken}"


def _everyone() -> list[organizations.Organization]:
    with db.everywhere() as connection:
        return organizations.everyone(connection)


def connections_of_nobody() -> list[str]:
    """Name the connections that Postgres keeps, though whoever made them has them no more."""
    alive = {
        (machines.address(name), port)
        for name in machines.MACHINES
        for port in machines.connections(name, "postgres")
    }
    return [
        f"Postgres keeps the connection of {name} to {address}:{port}, which has it no more"
        for name, address, port in watching.ask(CONNECTED)
        if (address, port) not in alive
    ]
