"""The overview: what needs a person, one card a resource, and what people did lately."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.runs import Run
from sync_core.ui.frame import polling, visitor
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import News
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.overview import activity_feed, attention, summary
from sync_core.ui.parts.words import ago, brief, hours, lasted, literal, look
from sync_core.ui.runs import progress_words, run_strip


def show() -> None:
    """Show the overview of the visitor's organization."""
    here = visitor.enter("read")
    with st.container(horizontal=True, key="head"):
        st.title("Overview", icon=":material/dashboard:", anchor=False)
    top = st.empty()
    cards, aside = st.columns([2.3, 1], gap="medium")
    with cards:
        polling.follow(here, partial(_draw, here, top))
    with aside:
        activity_feed.show(here)


def _draw(here: Visitor, top: DeltaGenerator, found: News) -> None:
    """Show how all stands, what needs a person, and the cards."""
    with top:
        summary.show(found)
    attention.show(here, found)
    latest = run_strip.of(here.organization.id, found.state)
    with st.grid(2, min_column_width=260):
        for resource in resources.CATALOGUE.values():
            _card(here, resource, found, latest[resource.name])


def _card(here: Visitor, resource: Resource, found: News, latest: Sequence[Run]) -> None:
    run = found.runs.get(resource.name)
    looks = look(run)
    with st.container(border=True, height="stretch", gap="xsmall", key=f"card-{resource.name}"):
        title = f"**{resource.title}**"
        st.page_link(page_file(resource.name), label=title, icon=resource.icon, width="stretch")
        overdue = " :orange-badge[:material/hourglass_bottom: Overdue]"
        badge = f":{looks.color}-badge[{looks.icon} {looks.word}]"
        st.markdown(badge + (overdue if found.overdue(resource.name) else ""))
        if run and run.active:
            percent = progress_words.of(run, found).percent
            st.progress(min(percent, 100), text=progress_words.sentence(run, found))
        else:
            told = literal(brief(run.message)) if run else ":gray[Its first sync fills this card.]"
            st.markdown(f":small[{told}]")
        st.space("stretch")
        run_strip.show(here, latest)
        st.caption(f"{_when(run)}  \n{_freshness(resource, found)}" if run else "No runs yet")


def _when(run: Run) -> str:
    """Tell when the run was, and who asked for it."""
    who = literal(run.requested_by)
    if run.finished_at is None:
        return f"Started {ago(run.queued_at)} by {who}"
    took = f" · took {lasted(run.seconds)}" if run.seconds is not None else ""
    when = ago(run.finished_at)
    return f"{when[0].upper()}{when[1:]} by {who}{took}"


def _freshness(resource: Resource, found: News) -> str:
    """Tell how fresh the rows are, beside what is promised of them."""
    fresh = found.fresh.get(resource.name)
    promise = f"every {hours(found.policies[resource.name].fresh_hours)}"
    if fresh is None or fresh.finished_at is None:
        return f":material/hourglass_empty: Never in step · {promise}"
    icon = "hourglass_bottom" if found.overdue(resource.name) else "verified"
    return f":material/{icon}: In step {ago(fresh.finished_at)} · {promise}"
