"""The state of the audit's hash chain: what its last check has found, and when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from sync_core.audit import hash_chain
from sync_core.audit.hash_chain import Verdict
from sync_core.foundation import db
from sync_core.organizations import Organization
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal, moment

CHECK_OVERDUE = timedelta(hours=36)
MEANING = (
    "Every run, every action and every row that a sync touched is still as it was first"
    " written. If somebody changes one of them later, even in the database itself, the nightly"
    " check finds it and says here what was changed."
)


@st.cache_resource(ttl=30, max_entries=200, show_spinner=False)
def verdict_of(organization_id: int) -> Verdict | None:
    """Return the last verdict on an organization's chain."""
    with db.within(organization_id) as connection:
        return hash_chain.latest(connection, organization_id)


def show(here: Visitor, organizations: Sequence[Organization]) -> None:
    """Show the verdict on each of these organizations."""
    for organization in organizations:
        name = f"{literal(organization.name)}: " if len(organizations) > 1 else ""
        _show(here, name, verdict_of(organization.id))


def _show(here: Visitor, name: str, found: Verdict | None) -> None:
    if found is None:
        st.caption(f":material/schedule: {name}Not verified yet. It is checked every night.")
    elif found.broken:
        st.error(
            f"{name}{literal(found.broken)}. Found {moment(found.at, here.zone)}. Somebody has"
            " changed the trail in the database itself: tell the people who run it, and compare"
            " with an earlier export.",
            title="The audit trail is broken.",
            icon=":material/gpp_bad:",
        )
    elif datetime.now(UTC) - found.at > CHECK_OVERDUE:
        text = f"{name}Verified through {moment(found.at, here.zone)}, and not since."
        st.markdown(f":small[:orange[:material/gpp_maybe: {text} Maintenance does not run.]]")
    else:
        text = f"Verified through {moment(found.at, here.zone)}"
        st.markdown(f":small[:green[:material/verified_user: {name}{text}] :gray[· {MEANING}]]")
