"""The pages, in sections, for whoever may see them."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from sync_core import resources
from sync_core.settings import ROOT


def page_file(name: str) -> str:
    """Give the path of a page's script."""
    return str(ROOT / "pages" / f"{name}.py")


def pages() -> dict[str, list[StreamlitPage]]:
    """List the pages by section."""
    overview = st.Page(
        page_file("overview"), title="Overview", icon=":material/dashboard:", default=True
    )
    return {
        "": [overview],
        "Resources": [
            st.Page(page_file(resource.name), title=resource.title, icon=resource.icon)
            for resource in resources.CATALOGUE.values()
        ],
    }
