"""Plans that guards held back and a person declined: why, by whom, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import ActionKind
from sync_core.runs.plans import Plans

_RUNS, _ACTIONS = tables.runs.c, tables.actions.c


@dataclass(frozen=True)
class Decline:
    """The decision against a plan: what the guards had found, who declined it, and when."""

    reasons: Sequence[str]  # "38 of 40 locations would be deleted"
    by: str
    at: datetime


def of_runs(connection: Connection, run_ids: Sequence[int]) -> dict[int, Decline]:
    """Return, by its run, the decision against each of these plans that was held back."""
    declined = (_ACTIONS.run_id == _RUNS.id) & (_ACTIONS.kind == ActionKind.DECLINED)
    its = (_ACTIONS.organization_id == _RUNS.organization_id) & declined  # by its index
    query = (
        sa.select(_RUNS.id, _RUNS.plans, _ACTIONS.name, _ACTIONS.at)
        .join(tables.actions, its)
        .where(_RUNS.id.in_(run_ids), _RUNS.plans.is_not(None))
    )
    return {
        run_id: Decline([one.sentence for one in Plans.from_json(plans).tripped], by, at)
        for run_id, plans, by, at in (connection.execute(query) if run_ids else ())
    }
