"""What needs a person: rows that failed, sources that fail, syncs that nobody works on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import FAILED, RunStatus
from sync_core.ui.audit import chain_status
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import source_line
from sync_core.ui.parts.words import Color, brief, literal
from sync_core.ui.runs import notice


@dataclass(frozen=True)
class AttentionItem:
    """One thing that needs a person, and the page where it is dealt with."""

    icon: str
    color: Color
    text: str  # Markdown
    page: str | None = None
    tab: str | None = None


def show(here: Visitor, state: RunState) -> None:
    """List what needs a person; where nothing does, show nothing."""
    items = list(_items(here, state))
    if not items:
        return
    with st.container(border=True, gap="xsmall", key="attention"):
        st.markdown(f"**Needs a person** :gray-badge[{len(items)}]")
        for item in items:
            _show(item)


def _show(item: AttentionItem) -> None:
    text = f":{item.color}[{item.icon}] {item.text}"
    if item.page is None:
        st.markdown(f":small[{text}]")
        return
    st.page_link(
        page_file(item.page),
        label=text,
        icon=":material/chevron_right:",
        icon_position="right",
        width="stretch",
        query_params={notice.TAB: item.tab} if item.tab else None,
    )


def _items(here: Visitor, state: RunState) -> Iterator[AttentionItem]:
    for resource in resources.CATALOGUE.values():
        yield from _of_resource(here, resource, state)
    if here.person.may("audit"):
        yield from _broken_chain(here)
    if state.problem:
        yield AttentionItem(":material/engineering:", "red", state.problem)


def _of_resource(here: Visitor, resource: Resource, state: RunState) -> Iterator[AttentionItem]:
    run, title = state.runs.get(resource.name), f"**{resource.title}**"
    if run and run.status in FAILED:
        text = f"{title}: {literal(brief(run.message))}"
        yield AttentionItem(":material/error:", "red", text, resource.name)
    if run and run.status == RunStatus.WAITING:
        text = f"{title}: {literal(brief(run.message))}"
        yield AttentionItem(":material/front_hand:", "orange", text, resource.name)
    if failed := state.failed_rows(resource.name):
        when = (
            "again when they were retried" if resource.name in state.retries else "in the last sync"
        )
        text = f"{title}: {count(failed, 'row')} failed {when}."
        yield AttentionItem(
            ":material/warning:", "orange", text, resource.name, notice.NEEDS_A_PERSON
        )
    promise = state.promise(resource.name)
    if promise and state.overdue(resource.name):
        text = f"{title}: {promise.sentence(datetime.now(UTC))}."
        yield AttentionItem(":material/hourglass_bottom:", "orange", text, resource.name)
    if not source_line.settings_of(here.organization, resource.name):
        yield AttentionItem(
            ":material/link_off:", "orange", f"{title}: {source_line.NOT_SET}.", "sources"
        )


def _broken_chain(here: Visitor) -> Iterator[AttentionItem]:
    verdict = chain_status.verdict_of(here.organization.id)
    if verdict and verdict.broken:
        text = f"**Audit**: the trail is broken at {literal(verdict.broken)}."
        yield AttentionItem(":material/gpp_bad:", "red", text, "audit")
