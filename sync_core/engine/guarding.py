"""The guard at work: the evidence of each plan against the thresholds of the organization."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from sync_core.engine import guard
from sync_core.engine.guard import Evidence
from sync_core.engine.statements import Scope
from sync_core.engine.tally import Tally
from sync_core.engine.work import Work
from sync_core.foundation import db
from sync_core.runs import figures, sheet_facts
from sync_core.runs.figures import Figures
from sync_core.runs.plans import Tripped


def look(work: Work, scopes: Sequence[Scope], tallies: Mapping[str, Tally]) -> list[Tripped]:
    """Return the guards that hold the plans of a run back, table by table."""
    if work.retried:  # a person has looked at what failed, and nothing else is touched
        return []
    with db.within(work.claim.organization_id) as connection:
        found = figures.of_run(connection, work.claim.run_id)
        return [
            one
            for scope in scopes
            for one in _tripped(connection, work, scope, tallies[scope.entity.name], found)
        ]


def look_at_undo(
    work: Work, scopes: Sequence[Scope], tallies: Mapping[str, Tally]
) -> list[Tripped]:
    """Return the guards that hold the plans of an undo back: it, too, may empty a table."""
    with db.within(work.claim.organization_id) as connection:
        return [
            one
            for scope in scopes
            for one in guard.tripped_by_undo(
                _evidence_of_undo(connection, scope, tallies[scope.entity.name]), work.guards
            )
        ]


def _evidence_of_undo(connection: Connection, scope: Scope, tally: Tally) -> Evidence:
    known = (
        "select count(*) from {target} t where t.organization_id = {org} and _removed_at is null"
    )
    marked = (
        "select count(*) from {plan} where kind = 'updated' and changes -> '_removed_at' ->> 1"
        " is not null"
    )
    ((present,),), ((deactivated,),) = scope.ask(connection, known), scope.ask(connection, marked)
    return Evidence(
        entity=scope.entity,
        sheet=scope.title,
        tally=tally,
        figures=Figures(known=present),
        deactivated=deactivated,
    )


def _tripped(
    connection: Connection,
    work: Work,
    scope: Scope,
    tally: Tally,
    figures_found: Mapping[str, Figures],
) -> list[Tripped]:
    """Return the guards that hold a plan back; only these need to know what is usual."""
    found = _evidence(connection, work, scope, tally, figures_found)
    if not guard.tripped(found, work.guards):
        return []
    usual = figures.usual(connection, scope.run_id, scope.entity.name)
    return guard.tripped(replace(found, usual=usual), work.guards)


def _evidence(
    connection: Connection,
    work: Work,
    scope: Scope,
    tally: Tally,
    found: Mapping[str, Figures],
) -> Evidence:
    name = scope.entity.name
    return Evidence(
        entity=scope.entity,
        sheet=scope.title,
        tally=tally,
        figures=found[name],
        partial=scope.partial,
        address=work.addresses.get(name),
        address_before=sheet_facts.address_before(connection, scope.run_id, name),
    )
