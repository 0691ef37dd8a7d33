"""The records that the search of the audit page finds: links to what ever happened to them."""

import streamlit as st

from sync_core.foundation import db
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.records import lookup
from sync_core.records.lookup import Found
from sync_core.ui.audit.audit_filters import Asked
from sync_core.ui.parts import record_link
from sync_core.ui.parts.words import literal

MIN_LETTERS = 2  # of a search, below which nearly everything is found
MAX_OF_A_TABLE, MAX_RECORDS = 3, 6


def show(asked: Asked) -> bool:
    """Show the first records whose key or name holds every word; return whether any do."""
    search = asked.wanted.search.strip()
    if len(search) < MIN_LETTERS:
        return False
    found = [
        (organization, one)
        for organization, person in asked.askers.values()
        for one in _find(organization, person, search)
    ]
    if not found:
        return False
    with st.container(border=True, gap="xsmall", key="found-records"):
        st.markdown("**Records with this key or name**")
        with st.container(horizontal=True, gap="small"):
            for organization, one in found[:MAX_RECORDS]:
                record_link.show(organization, one.entity, one.key, _label(one))
    return True


@st.cache_resource(ttl=60, max_entries=200, show_spinner=False, hash_funcs={Person: repr})
def _find(organization: Organization, person: Person, search: str) -> list[Found]:
    with db.within(organization.id) as connection:
        return lookup.find(connection, organization.id, person, search, MAX_OF_A_TABLE)


def _label(one: Found) -> str:
    key = " · ".join(one.key)
    named = literal(one.name) if one.name == key else f"{literal(one.name)}, {literal(key)}"
    gone = "" if one.is_there else " (gone)"
    return f"{named} :gray[{literal(one.entity.title)}{gone}]"
