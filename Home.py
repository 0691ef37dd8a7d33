"""The launcher: the pages' frame as an ASGI app, and nothing else."""

import streamlit as st

import sync_core.ui.ready  # noqa: F401 - so that the first visitor does not wait for it
from sync_core import api
from sync_core.ui import SCRIPT, cookie, demo_door, sign_in, trouble

sign_in.refuse_unsafe_start()
app = st.App(
    SCRIPT,
    routes=[*demo_door.ROUTES, *api.routes(cookie.claims)],
    lifespan=api.lifespan,
    on_script_error=trouble.show,
)

if __name__ == "__main__":
    app.run()
