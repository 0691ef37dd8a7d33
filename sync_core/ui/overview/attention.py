"""What needs a person: rows that failed, sources that fail, syncs that nobody works on."""

from collections.abc import Iterator
from dataclasses import dataclass

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.ui.audit import chain_status
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import News
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import source_line
from sync_core.ui.parts.words import Color, ago, brief, count, hours, literal
from sync_core.ui.runs import notice


@dataclass(frozen=True)
class Matter:
    """One thing that needs a person, and the page where it is dealt with."""

    icon: str
    color: Color
    text: str  # Markdown
    page: str | None = None
    tab: str | None = None


def show(here: Visitor, found: News) -> None:
    """List what needs a person; where nothing does, show nothing."""
    matters = list(_matters(here, found))
    if not matters:
        return
    with st.container(border=True, gap="xsmall", key="attention"):
        st.markdown(f"**Needs a person** :gray-badge[{len(matters)}]")
        for matter in matters:
            _show(matter)


def _show(matter: Matter) -> None:
    text = f":{matter.color}[{matter.icon}] {matter.text}"
    if matter.page is None:
        st.markdown(f":small[{text}]")
        return
    st.page_link(
        page_file(matter.page),
        label=text,
        icon=":material/chevron_right:",
        icon_position="right",
        width="stretch",
        query_params={notice.TAB: matter.tab} if matter.tab else None,
    )


def _matters(here: Visitor, found: News) -> Iterator[Matter]:
    for resource in resources.CATALOGUE.values():
        yield from _of_resource(here, resource, found)
    if here.person.may("audit"):
        yield from _broken_chain(here)
    if found.problem:
        yield Matter(":material/engineering:", "red", found.problem)


def _of_resource(here: Visitor, resource: Resource, found: News) -> Iterator[Matter]:
    run, title = found.runs.get(resource.name), f"**{resource.title}**"
    if run and run.status in {"failed", "timed_out"}:
        text = f"{title}: {literal(brief(run.message))}"
        yield Matter(":material/error:", "red", text, resource.name)
    if run and run.status == "waiting":
        text = f"{title}: its plan waits for a decision."
        yield Matter(":material/front_hand:", "orange", text, resource.name)
    if failed := found.failed.get(resource.name):
        text = f"{title}: {count(failed, 'row')} failed in the last sync."
        yield Matter(":material/warning:", "orange", text, resource.name, notice.TO_MEND)
    if found.overdue(resource.name):
        promise = hours(found.policies[resource.name].fresh_hours)
        text = f"{title}: in step {_since(found, resource)}, but it shall be every {promise}."
        yield Matter(":material/hourglass_bottom:", "orange", text, resource.name)
    if not source_line.of(here.organization, resource.name):
        yield Matter(":material/link_off:", "orange", f"{title}: no source is set.", "sources")


def _broken_chain(here: Visitor) -> Iterator[Matter]:
    verdict = chain_status.of(here.organization.id)
    if verdict and verdict.broken:
        text = f"**Audit**: the trail is broken at {literal(verdict.broken)}."
        yield Matter(":material/gpp_bad:", "red", text, "audit")


def _since(found: News, resource: Resource) -> str:
    at = found.fresh[resource.name].finished_at
    return ago(at) if at else ""
