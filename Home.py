"""The launcher: the pages' frame as an ASGI app, and nothing else."""

import streamlit as st

import sync_core.ui.preload  # noqa: F401 - so that the first visitor does not wait for it
from sync_core.api import app as api
from sync_core.api import page_gate, stopping
from sync_core.foundation import db
from sync_core.ui import SCRIPT
from sync_core.ui.frame import (
    browser_limits,
    cookie,
    demo_sign_in,
    early_scripts,
    error_box,
    missing_page,
    sign_in,
)

sign_in.refuse_unsafe_start()
db.be_brief()
app = st.App(
    SCRIPT,
    routes=[*demo_sign_in.ROUTES, *api.routes(cookie.claims)],
    middleware=page_gate.around(
        cookie.claims,
        browser_limits.needs,
        browser_limits.content_policy(),
        missing_page.elsewhere,
        early_scripts.links,
    ),
    lifespan=stopping.lifespan,
    on_script_error=error_box.show,
)

if __name__ == "__main__":
    app.run()
