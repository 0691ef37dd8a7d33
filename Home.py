"""The launcher: the pages' frame as an ASGI app, and nothing else."""

import streamlit as st

from sync_core.ui import SCRIPT, trouble

app = st.App(SCRIPT, on_script_error=trouble.show)

if __name__ == "__main__":
    app.run()
