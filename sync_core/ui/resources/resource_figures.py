"""What is counted of a resource beyond its rows, as figures on its page."""

import streamlit as st

from sync_core.analytics import analyses
from sync_core.analytics.resource_analysis import ResourceFigures
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.totals import Version
from sync_core.ui.parts.words import clock

CACHE_SECONDS = 300  # figures change with the hours, even where nothing is synced


def show(here: Visitor, name: str, since: Version) -> None:
    """Show the figures of a resource as metrics, with what they mean."""
    found = _read(here.organization.id, name, since)
    if found is None:
        return
    with st.container(key="resource-figures", gap="xsmall"):
        with st.grid(len(found.figures), min_column_width=110, gap="xsmall"):
            for figure in found.figures:
                st.metric(figure.title, f"{figure.number:,}", border=True, help=figure.meaning)
        at = clock(found.at, here.zone).removeprefix("at ")
        st.caption(f"As of {at}. {found.note}")


@st.cache_resource(ttl=CACHE_SECONDS, max_entries=1_000, show_spinner=False)
def _read(organization_id: int, name: str, since: Version) -> ResourceFigures | None:  # noqa: ARG001 - the key of the cache
    analysis = analyses.of(resources.by_name(name))
    if analysis is None:
        return None
    with db.begin() as connection:
        return analysis.for_page(connection, organization_id)
