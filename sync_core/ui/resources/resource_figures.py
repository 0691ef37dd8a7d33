"""What is counted of a resource beyond its rows, as figures on its page."""

import streamlit as st

from sync_core.analytics import analyses
from sync_core.analytics.resource_analysis import Figure, ResourceFigures
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts.totals import Version
from sync_core.ui.parts.words import moment

GROUP = "group"  # in the address: whose rows are listed
CACHE_SECONDS = 300  # figures change with the hours, even where nothing is synced


def show(here: Visitor, name: str, since: Version) -> None:
    """Show the figures of a resource as metrics, with what they mean."""
    found = _read(here.organization.id, name, since)
    if found is None:
        return
    with st.container(key="resource-figures", gap="xsmall"):
        with st.grid(len(found.figures), min_column_width=110, gap="xsmall"):
            for figure in found.figures:
                _show(here, name, figure)
        st.caption(f"As of {moment(found.at, here.zone)}. {found.note}")


def _show(here: Visitor, name: str, figure: Figure) -> None:
    """Show a figure, which is a link to its records where the visitor may see whose they are."""
    with st.container(border=True, key=f"kpi-figure-{figure.title}"):
        st.metric(figure.title, f"{figure.number:,}", help=figure.meaning)
        group = {GROUP: figure.group} if figure.group else {}
        if not group or analyses.group(resources.by_name(name), figure.group, here.person):
            st.page_link(
                page_file(name),
                label=f"Show {figure.title.lower()}",
                query_params={ORGANIZATION: here.organization.slug, **group},
            )


@st.cache_resource(ttl=CACHE_SECONDS, max_entries=1_000, show_spinner=False)
def _read(organization_id: int, name: str, since: Version) -> ResourceFigures | None:  # noqa: ARG001 - the key of the cache
    analysis = analyses.of(resources.by_name(name))
    if analysis is None:
        return None
    with db.within(organization_id) as connection:
        return analysis.for_page(connection, organization_id)
