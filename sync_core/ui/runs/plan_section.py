"""A run whose plan waits for a person: what it would do, row by row, until somebody decides."""

from collections.abc import Sequence

import streamlit as st

from sync_core import runs
from sync_core.api import addresses
from sync_core.foundation import db
from sync_core.foundation.counting import ago
from sync_core.foundation.vocabulary import CHANGED, LEFT_OUT, RunKind
from sync_core.runs import Run, figures, plans, recovery
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import literal, look, moment
from sync_core.ui.runs import (
    decision,
    downloads,
    guard_list,
    missing_list,
    outcome_table,
    reasons_list,
    run_view,
)

HELD_BACK = "Guards had held this plan back."
DELETED = "The rows of this plan were deleted when it ended; their counts stay."
NO_PLAN = "Nothing is kept of its plan."


def show(here: Visitor, run: Run, named_by: str = outcome_table.ROW) -> None:
    """Show the plan of a run that waits; the row that `named_by` names in the address opens."""
    with db.within(run.organization_id) as connection:
        tallies = runs.tallies(connection, [run.id]).get(run.id, {})
        due = recovery.waits_until(connection, run.id)
        kept = plans.of_run(connection, run.id)
        found = figures.of_run(connection, run.id)
    tripped = kept.tripped if kept else ()
    kinds = run_view.kinds_present(tallies, (*CHANGED, *LEFT_OUT))
    with st.container(border=True, key=f"plan-{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center", key=f"head-plan-{run.id}"):
            st.header(_title(run), anchor=False, width="content")
            st.space("stretch")
            _offer_file(here, run, kinds)
            decision.offer(here, run, tallies, "plan", tripped)
        _headline(here, run, moment(due, here.zone) if due else "")
        decision.explain(here, run, tripped)
        guard_list.show(tripped)
        run_view.show_counts(run, tallies)
        missing = missing_list.show(here, run, tripped, tallies, found)
        if not kinds:
            more = "" if tripped or missing else "Every row is as it should be already."
            paging.show_empty(":material/check:", "It would change nothing.", more)
            return
        reasons_list.show(run, kinds)
        outcome_table.show(here, run, kinds, "plan", named_by)


def show_dropped(run: Run) -> None:
    """Show what is left of a plan that was never applied: its counts, and what guards had found."""
    with db.within(run.organization_id) as connection:
        kept = plans.of_run(connection, run.id)
    st.header(_title(run, "would have done"), anchor=False)
    if kept is None:
        st.caption(f":material/auto_delete: {NO_PLAN}")
        return
    guard_list.show(kept.tripped, HELD_BACK)
    run_view.show_counts(run, kept.tallies)
    st.caption(f":material/auto_delete: {DELETED}")


def _offer_file(here: Visitor, run: Run, kinds: Sequence[str]) -> None:
    """Offer the plan to those who may export, and its rows to mend to those who mend them."""
    slug = here.organization.slug
    if kinds and here.person.may("export"):
        downloads.offer("Download the plan", addresses.of_outcomes(run.id, slug))
    elif set(kinds) & set(LEFT_OUT) and here.person.may("sync"):
        downloads.offer("Download rows to fix", addresses.of_rejects(run.id, slug))


def _title(run: Run, would: str = "would do") -> str:
    if run.kind == RunKind.UNDO:
        return f"What undoing run {run.undoes} {would}"
    return f"What this sync {would}"


def _headline(here: Visitor, run: Run, waits: str) -> None:
    run_look = look(run)
    parts = [f"Run {run.id}", f"{moment(run.queued_at, here.zone)}, {ago(run.queued_at)}"]
    parts += [literal(run.requested_by), f"waits until {waits}" if waits else ""]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(run_look.word, icon=run_look.icon, color=run_look.color)
        st.caption(" · ".join(part for part in parts if part), width="content")
