"""The launcher: the pages' frame as an ASGI app, and nothing else."""

import streamlit as st

import sync_core.ui.preload  # noqa: F401 - so that the first visitor does not wait for it
from sync_core.api import download
from sync_core.api import files as api
from sync_core.ui import SCRIPT
from sync_core.ui.frame import cookie, sign_in
from sync_core.ui.frame import demo_sign_in as demo_door
from sync_core.ui.frame import error_box as trouble

sign_in.refuse_unsafe_start()
app = st.App(
    SCRIPT,
    routes=[*demo_door.ROUTES, *api.routes(cookie.claims)],
    lifespan=download.lifespan,
    on_script_error=trouble.show,
)

if __name__ == "__main__":
    app.run()
