"""The frame around every page: page settings, sign-in, navigation, errors as sentences."""

import streamlit as st

from sync_core.ui import STATIC
from sync_core.ui.frame import (
    error_box,
    missing_page,
    navigation,
    polling,
    preferences,
    sidebar,
    sign_in,
    tab_title,
    visitor,
)

st.set_page_config(
    page_title=tab_title.begin(),
    page_icon=str(STATIC / "icon.svg"),
    layout="wide",
    initial_sidebar_state=280,
)
st.html(STATIC / "desk.css")
try:
    here = visitor.current()
    offered = missing_page.beside(navigation.pages(here))
    page = st.navigation(offered, position="hidden")
    if here is None:
        sign_in.show(f"/{page.url_path}")
    else:
        st.logo(str(STATIC / "logo.svg"), size="large", icon_image=str(STATIC / "icon.svg"))
        visitor.record_sign_in(here)
        sidebar.show(here, offered, page)
        page.run()
        preferences.name_zone(here)
        polling.finish(here)
except Exception as error:  # noqa: BLE001 - whatever it is, the visitor sees a sentence
    error_box.show(error)
