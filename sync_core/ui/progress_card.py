"""The progress of a run on its way: a bar, what it does now, how far it is."""

import streamlit as st

from sync_core.progress import Progress
from sync_core.runs import Run
from sync_core.ui.news import News
from sync_core.ui.words import literal


def show(run: Run, found: News) -> None:
    """Show how far the run is, as far as anybody knows."""
    known = found.progress.get(run.id)
    current = known if known and known.attempt == run.attempt else Progress()
    st.progress(min(current.percent, 100), text=_sentence(run, current))


def _sentence(run: Run, current: Progress) -> str:
    if not current.phase:
        waits = run.status in {"queued", "interrupted"}
        return "Waiting for a worker" if waits else "Working"
    return f"{literal(current.sentence)} · {_extent(current)}{current.percent} %"


def _extent(current: Progress) -> str:
    """Tell done and total, where they are known; a total that was exceeded is none."""
    if not current.done:
        return ""
    if current.total and current.done <= current.total:
        return f"{current.done:,} of {current.total:,} {current.unit} · "
    return f"{current.done:,} {current.unit} · "
