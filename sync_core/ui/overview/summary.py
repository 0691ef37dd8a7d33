"""How the whole organization stands, in four figures at the top of the overview."""

from html import escape

import streamlit as st

from sync_core.catalogue import resources
from sync_core.ui.frame.run_state import News
from sync_core.ui.parts.words import ago, count

Figure = tuple[str, str, str, str]  # icon, label, value, what is told below it


def show(found: News) -> None:
    """Show the figures."""
    figures = (_in_step(found), _running(found), _to_mend(found), _last(found))
    st.html(f'<dl class="summary">{"".join(map(_draw, figures))}</dl>')


def _draw(figure: Figure) -> str:
    icon, label, value, told = figure
    return (
        f'<div><dt><span class="icon" aria-hidden="true">{icon}</span>{escape(label)}</dt>'
        f"<dd><b>{escape(value)}</b><span>{escape(told)}</span></dd></div>"
    )


def _in_step(found: News) -> Figure:
    names = list(resources.CATALOGUE)
    well = [name for name in names if name in found.fresh and not found.overdue(name)]
    late = len(names) - len(well)
    told = f"{late} not, or not yet" if late else "all as promised"
    return "verified", "In step", f"{len(well)} of {len(names)}", told


def _running(found: News) -> Figure:
    active = [run for run in found.runs.values() if run.active]
    titles = (resources.CATALOGUE[run.resource].main.title for run in active)
    return "sync", "Running now", f"{len(active)}", ", ".join(titles) or "nothing"


def _to_mend(found: News) -> Figure:
    few = [name for name, failed in found.failed.items() if failed]
    told = f"in {count(len(few), 'resource')}" if few else "every row came through"
    return "build", "Rows to mend", f"{sum(found.failed.values()):,}", told


def _last(found: News) -> Figure:
    at = {run.finished_at: run for run in found.runs.values() if run.finished_at}
    if not at:
        return "history", "Last sync", "None yet", "the first one is a click away"
    latest = max(at)
    run = at[latest]
    title = resources.CATALOGUE[run.resource].main.title
    when = ago(latest)
    return "history", "Last sync", f"{when[0].upper()}{when[1:]}", f"{title}, by {run.requested_by}"
