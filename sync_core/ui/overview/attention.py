"""What needs attention: failed rows, sources that fail, records that went, idle workers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation.counting import ago, count
from sync_core.foundation.vocabulary import FAILED
from sync_core.runs import plans, run_address
from sync_core.ui.audit import chain_status
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts import source_line
from sync_core.ui.parts.words import Color, brief, capitalized, literal, short_moment, taken_back
from sync_core.ui.runs import notice

MANY_GONE, PART_GONE = 20, 0.1  # records, and the part of all, from which they are worth a look


@dataclass(frozen=True)
class AttentionItem:
    """One thing that needs attention, and the page where it is dealt with."""

    icon: str
    color: Color
    text: str  # Markdown
    page: str | None = None
    tab: str | None = None
    run_id: int | None = None


def show(here: Visitor, state: RunState) -> None:
    """List what needs attention; where nothing does, show nothing."""
    items = list(_items(here, state))
    if not items:
        return
    with st.container(border=True, gap="xsmall", key="attention"):
        st.markdown(f"**Needs attention** :gray-badge[{len(items)}]")
        for item in items:
            _show(here, item)


def _show(here: Visitor, item: AttentionItem) -> None:
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
        query_params=_address(here, item),
    )


def _address(here: Visitor, item: AttentionItem) -> dict[str, str]:
    slug = here.organization.slug
    if item.run_id:
        return run_address.parameters(slug, item.run_id)
    return {ORGANIZATION: slug} | ({notice.TAB: item.tab} if item.tab else {})


def _items(here: Visitor, state: RunState) -> Iterator[AttentionItem]:
    for resource in resources.CATALOGUE.values():
        yield from _of_resource(here, resource, state)
    if here.person.may("audit"):
        yield from _broken_chain(here)
    if state.problem:
        yield AttentionItem(":material/engineering:", "red", state.problem)


def _of_resource(here: Visitor, resource: Resource, state: RunState) -> Iterator[AttentionItem]:
    run, title = state.runs.get(resource.name), f"**{resource.title}**"
    yield from _setbacks(here, resource, state)
    for plan in state.plans_of(resource.name):
        text = f"{title}: {literal(brief(plan.message))}"
        if run and plan.id != run.id:
            text += f" Run {plan.id}, {ago(plan.queued_at)}, before the last run."
        icon = ":material/front_hand:"
        yield AttentionItem(icon, "orange", text, run_address.PAGE, run_id=plan.id)
    if failed := state.failed_rows(resource.name):
        when = (
            "again when they were retried" if resource.name in state.retries else "in the last sync"
        )
        text = f"{title}: {count(failed, 'row')} failed {when}."
        yield AttentionItem(
            ":material/warning:", "orange", text, resource.name, notice.NEEDS_ATTENTION
        )
    if gone := _many_gone(state, resource.name):
        text = f"{title}: {count(gone, 'record')} disappeared in the last sync."
        yield AttentionItem(":material/delete_sweep:", "orange", text, resource.name)
    promise = state.promise(resource.name)
    if promise and state.overdue(resource.name):
        text = f"{title}: {promise.sentence(datetime.now(UTC))}."
        yield AttentionItem(":material/hourglass_bottom:", "orange", text, resource.name)
    if undo := state.taken_back.get(resource.name):
        text = f"{title}: {capitalized(taken_back(undo))}; the next sync applies the source again."
        yield AttentionItem(":material/undo:", "orange", text, run_address.PAGE, run_id=undo.id)
    if not source_line.settings_of(here.organization, resource.name):
        yield AttentionItem(
            ":material/link_off:", "orange", f"{title}: {source_line.NOT_SET}.", "sources"
        )
    elif state.runs and run is None:  # before the first of all, the first steps say it
        text = f"{title}: Not synced yet."
        yield AttentionItem(":material/radio_button_unchecked:", "orange", text, resource.name)


def _setbacks(here: Visitor, resource: Resource, state: RunState) -> Iterator[AttentionItem]:
    """Return what failed last, and why a plan was held that somebody declined."""
    run, title = state.runs.get(resource.name), f"**{resource.title}**"
    last = run if run and run.status in FAILED else None  # an undo, too
    if failed := last or state.last_failure(resource.name):
        text = f"{title}: {literal(brief(failed.message))}"
        if run and failed.id != run.id:
            text += f" Run {failed.id}, {ago(failed.queued_at)}."
        yield AttentionItem(":material/error:", "red", text, run_address.PAGE, run_id=failed.id)
    setback = state.setbacks.get(resource.name)
    if setback and (decline := state.declines.get(setback.id)):
        why = capitalized(plans.sentences(decline.reasons))
        who = f"Declined by {decline.by}, {short_moment(decline.at, here.zone)}."
        text = f"{title}: {literal(f'{why}. {who}')}"
        icon = ":material/front_hand:"
        yield AttentionItem(icon, "orange", text, run_address.PAGE, run_id=setback.id)


def _many_gone(state: RunState, resource: str) -> int:
    """Return how many records went in the last sync, where it is a good part of all."""
    tallies = state.counts(state.fresh.get(resource)).values()
    gone = sum(tally["removed"] for tally in tallies)
    read = sum(tally["read"] for tally in tallies)
    return gone if gone >= MANY_GONE and gone >= PART_GONE * (gone + read) else 0


def _broken_chain(here: Visitor) -> Iterator[AttentionItem]:
    verdict = chain_status.verdict_of(here.organization.id)
    if verdict and verdict.broken:
        text = f"**Audit**: the trail is broken at {literal(verdict.broken)}."
        yield AttentionItem(":material/gpp_bad:", "red", text, "audit")
