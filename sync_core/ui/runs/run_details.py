"""The details of a resource's run below its strip: steps, figures and log, or how it ended."""

from collections.abc import Sequence

import streamlit as st

from sync_core.catalogue.resource import Resource
from sync_core.foundation.counting import ago
from sync_core.foundation.vocabulary import RunStatus
from sync_core.runs import Run, run_address
from sync_core.runs.attempts import log_of
from sync_core.runs.progress import Line
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import time_left
from sync_core.ui.parts.totals import version
from sync_core.ui.parts.words import literal
from sync_core.ui.runs import attempts, notice, progress_panel, progress_words, run_log

HEIGHT = 330  # pixels, whatever it shows
LONG = "This takes longer than 5 minutes. It continues, and you need not wait here."


def show(here: Visitor, resource: Resource, run: Run | None, state: RunState) -> None:
    """Show the details in a panel that is always as high."""
    with st.container(border=True, height=HEIGHT, gap="small", key=f"details-of-{resource.name}"):
        if run is None:
            st.caption("The steps, figures and log of a sync are shown here.")
            return
        _head(here, resource, run)
        if run.active:
            st.html(_panel(resource, run, state))
            run_log.show_live(here, run, state.logs.get(run.id, ()))
        else:
            _show_ended(here, run)


def _head(here: Visitor, resource: Resource, run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            page_file(run_address.PAGE),
            label=f"Run {run.id}",
            icon=":material/arrow_outward:",
            query_params=run_address.parameters(here.organization.slug, run.id),
        )
        st.caption(f"Started {ago(run.queued_at)} by {literal(run.requested_by)}", width="content")
        st.space("stretch")
        if not run.active and run.status != RunStatus.COMPLETED:
            notice.offer_details(here, resource, run)


def _panel(resource: Resource, run: Run, state: RunState) -> str:
    current, elapsed = progress_words.of(run, state), time_left.elapsed(run)
    text = LONG if elapsed > time_left.LONG_SECONDS else ""
    left = progress_words.left(run, state)
    return progress_panel.html(current, resource.steps.bands, elapsed, left, text)


def _show_ended(here: Visitor, run: Run) -> None:
    for line in (run.message, notice.advice(here, run), *run.notes):
        if line:
            st.markdown(literal(line))
    lines = _log_of(run)
    if lines:
        run_log.show_lines(here, run, lines)


@st.cache_resource(ttl=600, max_entries=100, show_spinner=False, hash_funcs={Run: version})
def _log_of(run: Run) -> Sequence[Line]:
    return log_of(run, attempts.read(run))
