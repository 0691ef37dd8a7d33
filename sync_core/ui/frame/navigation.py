"""The pages, in sections; those that a visitor may not see are not offered."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage

from sync_core.catalogue import resources
from sync_core.foundation.settings import ROOT
from sync_core.organizations.people import Permission
from sync_core.runs import run_address
from sync_core.ui.frame import inbox_count
from sync_core.ui.frame.visitor import Visitor

LINK_GAP_PIXELS = 11
Pages = Mapping[str, Sequence[StreamlitPage]]  # section -> pages


def page_file(name: str) -> str:
    """Return the path of a page's script."""
    return str(ROOT / "pages" / f"{name}.py")


def pages(here: Visitor | None) -> Pages:
    """Return all pages by section; each page refuses by itself whoever may not see it."""
    return {
        "": [
            _page(here, "read", "overview", "Overview", ":material/dashboard:", default=True),
            _page(here, "analyze", "analytics", "Analytics", ":material/monitoring:"),
            _page(here, "read", inbox_count.PAGE, "Inbox", ":material/notifications:"),
        ],
        "Resources": [
            _page(here, "read", resource.name, resource.title, resource.icon)
            for resource in resources.CATALOGUE.values()
        ],
        "Manage": [
            _page(
                here,
                "read",
                "notifications",
                "My notifications",
                ":material/notification_settings:",
            ),
            _page(here, "read", run_address.PAGE, "Runs", ":material/history:"),
            _page(here, "read", "sources", "Sources", ":material/cable:"),
            _page(here, "audit", "audit", "Audit", ":material/fact_check:"),
            _page(here, "administer", "settings", "Settings", ":material/settings:"),
            _page(here, "read", "help", "Help", ":material/help:"),
        ],
    }


def _page(
    here: Visitor | None,
    permission: Permission,
    name: str,
    title: str,
    icon: str,
    *,
    default: bool = False,
) -> StreamlitPage:
    return st.Page(
        page_file(name),
        title=title,
        icon=icon,
        default=default,
        visibility="visible" if here and here.person.may(permission) else "hidden",
    )


def show(offered: Pages) -> Mapping[str, DeltaGenerator]:
    """Show the links to the visible pages, by section; returns the place of each that changes.

    These are that to the inbox, which counts, and those to resources, which tell of their runs.
    Not by st.navigation, whose list with sections a screen reader cannot follow.
    """
    places = {}
    with st.container(gap=LINK_GAP_PIXELS, key="nav"):
        for section, pages_of_it in offered.items():
            visible = [page for page in pages_of_it if page.visibility == "visible"]
            if section and visible:
                st.markdown(f":small[**{section}**]")
            for page in visible:
                if page.url_path == inbox_count.PAGE or page.url_path in resources.CATALOGUE:
                    places[page.url_path] = st.empty()
                else:
                    st.page_link(page, width="stretch")
    return places
