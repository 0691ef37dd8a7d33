"""The progress of a run on its way: its steps, a bar, what it does now, and Cancel."""

import streamlit as st

from sync_core import jobs
from sync_core.errors import SyncError
from sync_core.progress import SHEET_BANDS, Band, Progress
from sync_core.runs import Run
from sync_core.ui import news, notice, progress_words, run_log, time_left
from sync_core.ui.news import News
from sync_core.ui.visitor import Visitor
from sync_core.ui.words import ago, literal, look

APART = "&emsp;&emsp;"  # wide blanks
ICONS = {
    "downloading": ":material/cloud_download:",
    "processing": ":material/fact_check:",
    "saving": ":material/save:",
}


def show(here: Visitor, run: Run, found: News) -> None:
    """Show all that is known of the run; the notice tells it in words, unless it was closed."""
    current = progress_words.of(run, found)
    looks = look(run)
    with st.container(border=True, key=f"progress-{run.resource}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            told = f"Started {ago(run.queued_at)} by {literal(run.requested_by)}"
            badge = f":{looks.color}-badge[{looks.icon} {looks.word}]"
            st.markdown(f"{badge} :small[:gray[{told}]]", width="stretch")
            _cancel_button(here, run)
        st.markdown(_steps(current, SHEET_BANDS))
        noticed = found.noticed(run, here.person.email)
        words = None if noticed else progress_words.sentence(run, found)
        st.progress(min(current.percent, 100), text=words)
        if time_left.elapsed(run) > time_left.SOFT_LIMIT:
            st.caption(":material/hourglass_top: This takes longer than 5 minutes; it goes on.")
        run_log.show_live(here, run, live=found.live)


def _steps(current: Progress, bands: tuple[Band, ...]) -> str:
    """List the steps in Markdown: those that are done, the present one, those to come."""
    names = [band.name for band in bands]
    present = names.index(current.phase) if current.phase in names else -1
    distances = (place - present if present >= 0 else 1 for place in range(len(names)))
    return APART.join(map(_step, names, distances))


def _step(name: str, distance: int) -> str:
    """Write a step; `distance` from the present one is below 0 where it is done."""
    title = name.capitalize()
    if distance < 0:
        return f":green[:material/check_circle:] {title}"
    if distance == 0:
        return f":blue[{ICONS.get(name, ':material/sync:')}] **{title}**"
    return f":gray[:material/radio_button_unchecked: {title}]"


def _cancel_button(here: Visitor, run: Run) -> None:
    if here.person.may("sync"):
        st.button(
            "Cancelling..." if run.cancelling else "Cancel",
            icon=":material/stop_circle:",
            type="tertiary",
            disabled=run.cancelling,
            key=f"cancel-{run.resource}",
            on_click=_cancel,
            args=(here, run),
        )


def _cancel(here: Visitor, run: Run) -> None:
    try:
        jobs.cancel(here.organization, run.id, here.person)
    except SyncError as error:
        notice.refuse(run.resource, error)
    news.forget(here.organization.id)
