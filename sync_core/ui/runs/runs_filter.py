"""Which runs are listed: of which resources, and with which results; both stand in the address."""

from collections.abc import Mapping

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation.vocabulary import ACTIVE, FAILED, RunStatus
from sync_core.runs.filters import Filter
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging

RESOURCE, RESULT = "resource", "result"  # in the address
RESULTS: Mapping[str, tuple[RunStatus, ...]] = {  # as people ask for them
    "Synced": (RunStatus.COMPLETED,),
    "Partly synced": (RunStatus.PARTIAL,),
    "Failed": FAILED,
    "Cancelled": (RunStatus.CANCELLED, RunStatus.EXPIRED),
    "Needs a decision": (RunStatus.WAITING,),
    "Running": ACTIVE,
}


def ask(here: Visitor) -> Filter:
    """Show what runs can be filtered by; returns which of the organization's are asked for."""
    titles = {resource.name: resource.title for resource in resources.CATALOGUE.values()}
    with st.container(horizontal=True, key="asked-runs"):
        of = st.pills(
            "Resource",
            list(titles),
            selection_mode="multi",
            format_func=titles.__getitem__,
            key=RESOURCE,
            bind="query-params",
            label_visibility="collapsed",
        )
        ended = st.pills(
            "Result",
            list(RESULTS),
            selection_mode="multi",
            key=RESULT,
            bind="query-params",
            label_visibility="collapsed",
        )
    status = tuple(one for name in ended for one in RESULTS[name])
    return Filter(organizations=(here.organization.id,), resource=tuple(of), status=status)


def clear() -> None:
    """Ask for all runs again."""
    paging.blank((RESOURCE, RESULT))
