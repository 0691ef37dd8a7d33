"""The overview: what needs attention, one card for each resource, and the activity feed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation.counting import ago, hours
from sync_core.foundation.vocabulary import ORIGINS
from sync_core.runs import MADE_UP, Run
from sync_core.ui.frame import polling, visitor
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.overview import activity_feed, attention, first_steps, summary, sync_all
from sync_core.ui.parts import page_head
from sync_core.ui.parts.words import (
    brief,
    capitalized,
    lasted,
    literal,
    look,
    origin_within,
    taken_back,
)
from sync_core.ui.runs import notice, progress_words, run_strip, sync_button

STRIP_WIDTH = 260  # pixels, of the bars of the last runs


def show() -> None:
    """Show the overview of the visitor's organization. Raises SyncError("no_permission")."""
    here = visitor.enter("read")
    with page_head.show("Overview", ":material/dashboard:"):
        st.space("stretch")
        if here.person.may("sync"):
            sync_all.offer(here)
    top = st.empty()
    cards, aside = st.columns([2.3, 1], gap="medium")
    with aside:
        feed = st.empty()
    with cards:
        polling.follow(here, partial(_draw, here, top, feed))


def _draw(here: Visitor, top: DeltaGenerator, feed: DeltaGenerator, state: RunState) -> None:
    """Show the summary, what needs attention, the cards, and what happened last."""
    latest = run_strip.of(here.organization.id, state.signature)
    has_made_up = any(_is_made_up(runs) for runs in latest.values())
    with top:
        summary.show(state, has_made_up=has_made_up)
    with feed.container():
        activity_feed.show(here)
    sync_all.show(state)
    first_steps.show(here, state)
    attention.show(here, state)
    for resource in resources.CATALOGUE.values():
        _card(here, resource, state, latest[resource.name])


def _card(here: Visitor, resource: Resource, state: RunState, latest: Sequence[Run]) -> None:
    run = state.runs.get(resource.name)
    with st.container(border=True, gap="xsmall", key=f"card-{resource.name}"):
        head = f"top-of-{resource.name}"
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=head):
            title = f"**{resource.title}**"
            st.page_link(page_file(resource.name), label=title, icon=resource.icon, width="content")
            st.markdown(_badges(resource, run, state), width="stretch")
            if here.person.may("sync"):
                sync_button.show(here, resource, state, "tertiary")
        if refused := notice.refusal(resource.name, run):
            st.markdown(f":small[:orange[:material/front_hand:] {literal(refused)}]")
        if run and run.active:
            percent = progress_words.of(run, state).percent
            st.progress(min(percent, 100), text=literal(progress_words.told(run, state)))
        elif not refused:
            text = literal(brief(run.message)) if run else ":gray[Its first sync fills this card.]"
            st.markdown(f":small[{text}]")
        with st.container(horizontal=True, vertical_alignment="bottom", key=f"end-{resource.name}"):
            told = f"{_when(run)}  \n{_freshness(resource, state)}" if run else _before(latest)
            st.caption(told, width="stretch")
            with st.container(width=STRIP_WIDTH):
                run_strip.show(here, latest)


def _badges(resource: Resource, run: Run | None, state: RunState) -> str:
    run_look = look(run)
    overdue = " :orange-badge[:material/hourglass_bottom: Overdue]"
    badge = f":{run_look.color}-badge[{run_look.icon} {run_look.word}]"
    return badge + (overdue if state.overdue(resource.name) else "")


def _before(latest: Sequence[Run]) -> str:
    """Return what stands below the bars of a resource that was never synced."""
    if _is_made_up(latest):
        return ":material/science: The bars are made-up runs of the demo"
    return "No runs yet"


def _is_made_up(latest: Sequence[Run]) -> bool:
    return any(run.trigger == MADE_UP for run in latest)


def _when(run: Run) -> str:
    """Return when the run was, and who asked for it."""
    who = literal(run.requested_by)
    if run.finished_at is None:
        return f"Started {ago(run.queued_at)} by {who}"
    took = f" · took {lasted(run.seconds)}" if run.seconds is not None else ""
    what = f", {origin_within(run.origin)}" if run.kind in ORIGINS else ""
    return f"{capitalized(ago(run.finished_at))} by {who}{what}{took}"


def _freshness(resource: Resource, state: RunState) -> str:
    """Return how fresh the rows are, and the promise beside it."""
    promise = state.promise(resource.name)
    if promise is None:
        allowed = hours(state.policies[resource.name].fresh_hours)
        return f":material/hourglass_empty: Never synced; the max age is {allowed}"
    now = datetime.now(UTC)
    if undo := state.taken_back.get(resource.name):
        since = f"last synced {ago(promise.since, now)}"
        return f":material/undo: {capitalized(taken_back(undo))} · {since}"
    icon = "hourglass_bottom" if state.behind(resource.name) else "verified"
    return f":material/{icon}: {promise.sentence(now)}"
