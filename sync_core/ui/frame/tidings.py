"""What happened while somebody was elsewhere: told on whatever page they are, once in each tab."""

from collections.abc import Iterator
from dataclasses import dataclass

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import NoticeKind
from sync_core.notifications import notices, words
from sync_core.notifications.judging import KINDS
from sync_core.runs import run_address
from sync_core.ui.frame import browser_news, inbox_count, tab_title
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts.notice_looks import LOOKS
from sync_core.ui.parts.words import brief, literal

AT_ONCE = 3  # what else happened is in the inbox
ACTIVE, TOLD, HEARD = "tidings-active", "tidings-told", "tidings-heard"  # session keys
LASTING = frozenset({NoticeKind.FAILED, NoticeKind.WAITING, NoticeKind.PAUSED})  # until closed


@dataclass(frozen=True)
class Tiding:
    """Something that happened."""

    kind: NoticeKind
    resource: str
    run_id: int | None
    text: str
    title: str  # in a few words

    @property
    def stage(self) -> tuple[int | None, bool]:
        """Return what is told once: that a run waits, and that it ended."""
        return self.run_id, self.kind == NoticeKind.WAITING


def hear(here: Visitor, state: RunState, page: str) -> None:
    """Tell what is new since the last look; the page of a resource shows its runs by itself."""
    fresh = [
        one
        for one in (*_own_runs(here, state), *_notices(here, state.newest_notice))
        if _is_first(one)
    ]
    for one in fresh[-AT_ONCE:]:
        if one.resource != page or one.run_id is None:
            _toast(here, one)
    browser_news.add([(one.title, brief(one.text), _address(here, one)) for one in fresh])


def _own_runs(here: Visitor, state: RunState) -> Iterator[Tiding]:
    """Find the visitor's runs that were on their way at the last look, and no more are."""
    was_active = st.session_state.get(ACTIVE, frozenset())
    st.session_state[ACTIVE] = frozenset(run.id for run in state.runs.values() if run.active)
    for run in state.runs.values():
        if run.id in was_active and not run.active and run.requested_email == here.person.email:
            tab_title.keep(run)
            kind = KINDS[run.status]
            title = words.title(kind, run.resource, run)
            yield Tiding(kind, run.resource, run.id, run.message, title)


def _notices(here: Visitor, newest: int) -> Iterator[Tiding]:
    """Find what the visitor was told since the last look; at the first one that is nothing."""
    heard = st.session_state.setdefault(HEARD, newest)
    if newest == heard:
        return
    st.session_state[HEARD] = newest
    with db.within(here.organization.id) as connection:
        found = notices.of_person(connection, here.organization.id, here.person, after=heard)
        titled = words.titles(connection, here.organization.id, found)
    for one, title in reversed(titled):
        yield Tiding(one.kind, one.resource, one.run_id, one.text, title)


def _is_first(one: Tiding) -> bool:
    """Return whether this tab has not told it yet, and note that it does."""
    told: set[tuple[int | None, bool]] = st.session_state.setdefault(TOLD, set())
    is_first = one.run_id is None or one.stage not in told
    told.add(one.stage)
    return is_first


def _toast(here: Visitor, one: Tiding) -> None:
    icon, _ = LOOKS[one.kind]
    title = f"**{literal(one.title)}**"  # the link: what stands below may be cut off
    body = f"[{title}]({_address(here, one)})  \n{literal(brief(one.text))}"
    st.toast(body, icon=icon, duration="infinite" if one.kind in LASTING else "long")


def _address(here: Visitor, one: Tiding) -> str:
    if one.run_id:
        return run_address.path(here.organization.slug, one.run_id)
    page = one.resource if one.resource in resources.CATALOGUE else inbox_count.PAGE
    return f"/{page}?{ORGANIZATION}={here.organization.slug}"
