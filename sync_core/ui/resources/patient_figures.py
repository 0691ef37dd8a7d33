"""The patients of an organization in figures: how many, how many active, and why they are."""

import streamlit as st

from sync_core.analytics import patients
from sync_core.analytics.patients import Figures
from sync_core.foundation import db
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.totals import Version
from sync_core.ui.parts.words import clock

CACHE_SECONDS = 300  # figures change with the hours, even where nothing is synced


def show(here: Visitor, since: Version) -> None:
    """Show the figures as metrics, with what they mean."""
    found = _figures(here.organization.id, since)
    if not found.total:
        return
    recent = f"Came within the last {found.days} days"
    figures = {
        "Patients": (found.total, "All that Cliniko holds, archived and merged ones, too"),
        "Active": (found.active, "Recent or upcoming; not archived, deleted or merged"),
        "Recent": (found.recent, f"{recent}, and is active"),
        "Upcoming": (found.upcoming, "Has an appointment to come, and is active"),
        "Both": (found.both, "Recent and upcoming: counted once among the active"),
    }
    with st.container(key="patient-figures", gap="xsmall"):
        with st.grid(5, min_column_width=110, gap="xsmall"):
            for title, (number, meaning) in figures.items():
                st.metric(title, f"{number:,}", border=True, help=meaning)
        at = clock(found.at, here.zone)
        st.caption(f"As of {at.removeprefix('at ')}. Group classes are not counted.")


@st.cache_resource(ttl=CACHE_SECONDS, max_entries=1_000, show_spinner=False)
def _figures(organization_id: int, since: Version) -> Figures:  # noqa: ARG001 - the key of the cache
    with db.begin() as connection:
        return patients.figures(connection, organization_id)
