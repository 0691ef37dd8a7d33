"""The address of a record's history, and links that lead there."""

from collections.abc import Sequence

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.organizations import Organization
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import ORGANIZATION

RECORD, KEY = "record", "key"  # in the address: the table, and the parts of the key


def address(entity: Entity, key: Sequence[str]) -> dict[str, str | list[str]]:
    """Return the parameters by which the page of the resource opens the history of a record."""
    return {RECORD: entity.name, KEY: list(key)}


def show(organization: Organization, entity: Entity, key: Sequence[str], label: str) -> None:
    """Show a link to the history of a record."""
    st.page_link(
        page_file(resources.of_entity(entity).name),
        label=label,
        icon=":material/manage_history:",
        query_params={ORGANIZATION: organization.slug, **address(entity, key)},
    )
