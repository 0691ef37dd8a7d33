"""The launcher: the pages' frame as an ASGI app, and nothing else."""

import streamlit as st

import sync_core.ui.preload  # noqa: F401 - so that the first visitor does not wait for it
from sync_core.api import app as api
from sync_core.api import stopping
from sync_core.ui import SCRIPT
from sync_core.ui.frame import cookie, demo_sign_in, error_box, sign_in

sign_in.refuse_unsafe_start()
app = st.App(
    SCRIPT,
    routes=[*demo_sign_in.ROUTES, *api.routes(cookie.claims)],
    lifespan=stopping.lifespan,
    on_script_error=error_box.show,
)

if __name__ == "__main__":
    app.run()
