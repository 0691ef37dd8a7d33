"""The test of a resource's sources: in a thread, so that the page stays usable."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.engine.probe import Probe
from sync_core.foundation.counting import count
from sync_core.foundation.errors import SyncError
from sync_core.operations import source_probes
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.ui.frame import visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import listed, literal

LISTED = 20  # things that are wrong
ICON = ":material/network_check:"


def offer(here: Visitor, resource: Resource) -> None:
    """Show the button that tests the sources."""
    running = st.session_state.get(_key(resource))
    st.button(
        "Test source",
        icon="spinner" if running and not running.done() else ICON,
        key=f"test-{resource.name}",
        help="See what a sync would find in the source, without changing anything.",
        disabled=bool(running and not running.done()),
        on_click=_start,
        args=(here, resource),
    )


def show(here: Visitor, resource: Resource) -> None:
    """Show that the test runs, or what it found, over the page: nothing of that moves."""
    if running := st.session_state.get(_key(resource)):
        every = None if running.done() else 1
        result = partial(_result, resource, was_done=running.done())
        visitor.dialog(
            here,
            f"Test of the source of {resource.title.lower()}",
            ICON,
            visitor.fragment(here, result, every),
            width="large",
            on_dismiss=partial(_close, resource),
        )


def _result(resource: Resource, *, was_done: bool) -> None:
    running: Future[list[Probe]] | None = st.session_state.get(_key(resource))
    if running is None or (running.done() and not was_done):
        st.rerun()
    if not running.done():
        st.info("Reading the first rows of the source.", title="Testing...", icon=ICON)
        return
    for probe in running.result():
        _show(resource, probe)
    if st.button("Close", key=f"close-test-{resource.name}"):
        _close(resource)
        st.rerun()


def _close(resource: Resource) -> None:
    st.session_state.pop(_key(resource), None)


def _show(resource: Resource, probe: Probe) -> None:
    """Show what a sync would find in the source of one table."""
    body = "\n".join([literal(probe.sentence), "", *_listed(probe)])
    if probe.error:
        body = literal(f"{probe.error.sentence} {probe.error.advice}")
        st.error(body, title="The source cannot be read", icon=":material/error:")
    elif probe.failed:
        title = f"A sync would refuse {count(probe.failed, 'row')}"
        st.warning(body, title=title, icon=":material/warning:")
    else:
        st.success(body, title="The source can be read", icon=":material/check_circle:")
    if probe.sample and probe.sample.rows:
        title = resources.entity(resource, probe.entity).title
        hidden = f". Hidden here: {listed(probe.sample.hidden)}." if probe.sample.hidden else ""
        st.caption(f"The first rows of {title.lower()}, as they are in the source{hidden}")
        columns = [Column(header, "brief") for header in probe.sample.headers]
        rows = [Row("", list(map(Cell, row))) for row in probe.sample.rows]
        alt = f"The first rows of {title.lower()}"
        row_table.show(Table(columns, rows), key=f"sample-{probe.entity}", alt=alt)


def _listed(probe: Probe) -> list[str]:
    """Return what is wrong, and what else a person should know, as a list in Markdown."""
    said = [finding.sentence for finding in probe.findings[:LISTED]]
    more = len(probe.findings) - len(said)
    said += [f"{more:,} more things are wrong."] if more > 0 else []
    return [f"- {literal(sentence)}" for sentence in (*said, *probe.notes)]


def _start(here: Visitor, resource: Resource) -> None:
    trying = _threads().submit(_test, here.organization, here.person, resource)
    st.session_state[_key(resource)] = trying


def _test(organization: Organization, person: Person, resource: Resource) -> list[Probe]:
    try:
        return source_probes.probe_sources(organization, person, resource.name)
    except SyncError as error:
        return [Probe(entity=resource.main.name, sentence=error.sentence, error=error)]


def _key(resource: Resource) -> str:
    return f"source-test-{resource.name}"


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="source-test")
