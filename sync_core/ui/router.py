"""The frame around every page: page settings, navigation, sidebar, and errors as sentences."""

import streamlit as st

from sync_core.ui import STATIC, navigation, trouble, visitor
from sync_core.ui.words import literal

st.set_page_config(
    page_title="Sync Desk",
    page_icon=str(STATIC / "icon.svg"),
    layout="wide",
    initial_sidebar_state=280,
)
st.html(STATIC / "desk.css")
st.logo(str(STATIC / "logo.svg"), size="large", icon_image=str(STATIC / "icon.svg"))
page = st.navigation(navigation.pages())
try:
    here = visitor.current()
    with st.sidebar:
        st.caption(f"{literal(here.organization.name)} · {literal(here.person.name)}")
    page.run()
except Exception as error:  # noqa: BLE001 - whatever it is, the visitor sees a sentence
    trouble.show(error)
