"""The test of a resource's sources: in a thread, so that the page stays usable."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import streamlit as st

from sync_core import sources
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError
from sync_core.sources import SourceSetting
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import source_line
from sync_core.ui.parts.words import literal

Result = tuple[bool, str]  # whether it can be read, and a sentence
Results = list[Result]


def offer(here: Visitor, resource: Resource) -> None:
    """Show the button that tests the sources."""
    running = st.session_state.get(_key(resource))
    st.button(
        "Test source",
        icon="spinner" if running and not running.done() else ":material/network_check:",
        key=f"test-{resource.name}",
        help="See whether the source can be read, without changing anything.",
        disabled=bool(running and not running.done()),
        on_click=_start,
        args=(here, resource),
    )


def show(resource: Resource) -> None:
    """Show that the test runs, or what it found, until it is closed."""
    if running := st.session_state.get(_key(resource)):
        every = None if running.done() else 1
        st.fragment(run_every=every)(_result)(resource, was_done=running.done())


def _result(resource: Resource, *, was_done: bool) -> None:
    running: Future[Results] | None = st.session_state.get(_key(resource))
    if running is None:
        return
    if not running.done():
        st.info(
            "Asking the source what is there.", title="Testing...", icon=":material/network_check:"
        )
        return
    if not was_done:
        st.rerun()
    results = running.result()
    readable = all(success for success, _ in results)
    body = "\n\n".join(literal(sentence) for _, sentence in results)
    with st.container(
        horizontal=True,
        wrap=False,
        vertical_alignment="top",
        gap="xsmall",
        key=f"notice-test-{resource.name}",
    ):
        if readable:
            st.success(body, title="The source can be read", icon=":material/check_circle:")
        else:
            st.error(body, title="The source cannot be read", icon=":material/error:")
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=f"close-test-{resource.name}",
            help="Close",
            on_click=lambda: st.session_state.pop(_key(resource), None),
        )


def _start(here: Visitor, resource: Resource) -> None:
    found = source_line.settings_of(here.organization, resource.name)
    st.session_state[_key(resource)] = _threads().submit(_test, resource, found)


def _test(resource: Resource, found: list[SourceSetting]) -> Results:
    if not found:
        return [_refused(SyncError("no_source", resource=resource.name, what=resource.name))]
    return [_test_one(resource, setting) for setting in sources.settings_to_probe(found)]


def _test_one(resource: Resource, setting: SourceSetting) -> tuple[bool, str]:
    try:
        entity = resources.entity(resource, setting.entity)
        return True, sources.probe_source(setting, entity, settings.current())
    except SyncError as error:
        return _refused(error)


def _refused(error: SyncError) -> Result:
    return False, f"{error.sentence} {error.advice}"


def _key(resource: Resource) -> str:
    return f"source-test-{resource.name}"


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="source-test")
