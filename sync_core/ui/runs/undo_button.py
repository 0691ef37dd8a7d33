"""The button that takes a run back: it shows first what would become of each row.

Where an undo took the run back, that is told instead.
"""

import streamlit as st

from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import APPLIED, CHANGED, Trigger
from sync_core.operations import syncs
from sync_core.runs import MADE_UP, Run, Tallies, run_address
from sync_core.ui.frame import run_state
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts.words import moment
from sync_core.ui.runs import history_tab, notice


def tell(here: Visitor, run: Run) -> None:
    """Say in a link that an undo took the run back, where one did."""
    undone = run.undone
    if undone is None:
        return
    how_far = " in part" if undone.in_part else ""
    st.page_link(
        page_file(run_address.PAGE),
        label=f"Run {undone.by} undid it{how_far} on {moment(undone.at, here.zone)}.",
        icon=":material/undo:",
        query_params=run_address.parameters(here.organization.slug, undone.by),
    )


def offer(here: Visitor, run: Run, tallies: Tallies, place: str) -> None:
    """Show the button where the run changed rows; `place` tells it from others on the page.

    Not where an undo took it back, unless something was impossible then: it may be possible by
    now. Where a schedule would do it again, another button pauses that, too.
    """
    if run.status not in APPLIED or run.trigger == MADE_UP or not here.person.may("sync"):
        return
    if not any(tally[kind] for tally in tallies.values() for kind in CHANGED):
        return
    if run.undone and not run.undone.failed:
        return
    if st.button(
        "Undo",
        icon=":material/undo:",
        key=f"undo-{place}-{run.id}",
        help="See what would go back, what is kept and what is impossible. Nothing is done yet.",
    ):
        _undo(here, run, pause_schedule=False)
    schedule = run_state.read(here.organization.id).schedules.get(run.resource)
    if (
        schedule
        and schedule.paused_at is None
        and st.button(
            "Undo and pause this resource's schedule",
            icon=":material/pause_circle:",
            key=f"undo-pause-{place}-{run.id}",
            help=f"Else it is synced again {schedule.words}.",
        )
    ):
        _undo(here, run, pause_schedule=True)


def _undo(here: Visitor, run: Run, *, pause_schedule: bool) -> None:
    """Ask for the undo, and show it on the page of its own."""
    asked = None
    try:
        asked = syncs.undo(
            here.organization, run.id, here.person, Trigger.PAGE, pause_schedule=pause_schedule
        )
        notice.clear_refusal(run.resource)
    except SyncError as error:
        notice.keep_refusal(run.resource, error)
    run_state.forget(here.organization.id)
    if asked:
        history_tab.open_run(here, asked.id)
    there = {ORGANIZATION: here.organization.slug}
    st.switch_page(page_file(run.resource), query_params=there)  # which says why it was refused
