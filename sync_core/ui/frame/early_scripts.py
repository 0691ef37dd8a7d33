"""What a page draws with is named in its answer, so that it comes while Streamlit starts.

Streamlit asks for the script of its charts, the largest of all, when the first chart has come: on a
first visit the chart would wait for it.
"""

from pathlib import Path

import streamlit as st

PAGE = "analytics"  # whose first screen has a chart
SCRIPTS = Path(st.__file__).parent / "static" / "static" / "js"
OF_CHARTS = sorted(file.name for file in SCRIPTS.glob("PlotlyChart.*.js"))


def links(path: str) -> str:
    """Return what has a browser load the script of charts at once; "" of a page without any.

    It is of low priority: whatever is drawn before comes first.
    """
    if path.rstrip("/").rpartition("/")[2] != PAGE:
        return ""
    how = "rel=modulepreload; crossorigin; fetchpriority=low"
    return ", ".join(f"<./static/js/{name}>; {how}" for name in OF_CHARTS)
