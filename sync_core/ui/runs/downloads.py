"""Links to files, which the routes beside the pages send as streams."""

from html import escape
from urllib.parse import urlencode

import streamlit as st

from sync_core.api.addresses import PATH
from sync_core.runs import Run
from sync_core.ui.frame.visitor import Visitor


def of_run(here: Visitor, run: Run, what: str) -> str:
    """Return the address of the `outcomes` or the `rejects` of a run, for a spreadsheet."""
    asked = urlencode({"org": here.organization.slug, "bom": 1})
    return f"{PATH}/runs/{run.id}/{what}.csv?{asked}"


def log_of(here: Visitor, run: Run) -> str:
    """Return the address of the log of a run."""
    return f"{PATH}/runs/{run.id}/log.txt?{urlencode({'org': here.organization.slug})}"


def offer(label: str, address: str) -> None:
    """Show a link that looks like a button, and downloads the file."""
    link = f'<a class="file" href="{escape(address)}" download>{escape(label)}</a>'
    st.html(link, width="content")
