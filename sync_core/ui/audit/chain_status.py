"""The state of the audit's hash chain: what its last check has found, and when."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from sync_core.audit import hash_chain
from sync_core.audit.hash_chain import Verdict
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.operations import chain_checks
from sync_core.operations.chain_checks import Checked
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.ui.audit.audit_filters import Askers
from sync_core.ui.frame import error_box
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


def show(here: Visitor, askers: Askers) -> None:
    """Show the verdict on each of these organizations, and the button that checks them now."""
    with st.container(horizontal=True, key="end-chain"):
        verdicts = st.container()
        asked = st.button("Verify now", icon=":material/verified_user:", key="verify-now")
    for organization, person in askers.values():
        name = f"{literal(organization.name)}: " if len(askers) > 1 else ""
        found = None
        if asked:
            with st.spinner("Checking the audit trail..."):
                found = _check(organization, person)
        with verdicts:
            _show(here, name, verdict_of(organization.id))
            if found and not found.verdict.broken:
                _tell(here, name, found)


def _check(organization: Organization, person: Person) -> Checked | None:
    """Check a chain now; where that is refused, say why."""
    try:
        found = chain_checks.verify(organization, person)
    except SyncError as error:
        error_box.show_sentence(error)
        return None
    verdict_of.clear()
    return found


def _tell(here: Visitor, name: str, found: Checked) -> None:
    """Say how much of a chain was checked, and that it is as it was written."""
    at = moment(found.verdict.at, here.zone)
    if found.since is None:
        st.success(f"{name}Checked on {at}: nothing was changed.", icon=":material/check:")
        return
    since = moment(found.since, here.zone)
    st.success(
        f"{name}Checked on {at}: nothing that was added since {since} was changed. A check of"
        " everything takes longer than this page may wait; it is made every night.",
        icon=":material/check:",
    )


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
