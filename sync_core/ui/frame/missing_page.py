"""The page of an address that no page has: it says so, and leads on."""

from urllib.parse import unquote, urlencode, urlsplit

import streamlit as st

from sync_core.ui.frame.navigation import Pages, page_file
from sync_core.ui.parts import page_head
from sync_core.ui.parts.words import literal

PAGE, ADDRESS = "page-not-found", "address"
FIRST = "overview"  # which is at the root
LINKS = (FIRST, "runs", "help")
NO_PAGES = frozenset(  # what stands below these is no page: Streamlit's own, and ours
    "_stcore media component static app auth oauth2callback vendor api sign-in".split()
)


def elsewhere(path: str) -> str | None:
    """Return the address of the page that is meant, where its path is none that pages have.

    Streamlit knows no page below another one, and the first one only at the root.
    """
    before = st.get_option("server.baseUrlPath").strip("/")
    root = f"/{before}" if before else ""
    inner = path.removeprefix(root).strip("/")
    if inner == FIRST:
        return f"{root}/"
    if "/" not in inner or inner.split("/")[0] in NO_PAGES:
        return None
    return f"{root}/{PAGE}?{urlencode({ADDRESS: path})}"


def beside(offered: Pages) -> Pages:
    """Return the pages, and one at the address that is asked for where none of them is there."""
    known = {page.url_path for pages in offered.values() for page in pages}
    path = unquote(urlsplit(st.context.url or "").path).strip("/")
    if path in known or "/" in path:
        return offered
    missing = st.Page(
        lambda: _show(path),
        title="Page not found",
        icon=":material/explore_off:",
        url_path=path,
        visibility="hidden",
    )
    return {**offered, "": [*offered[""], missing]}


def _show(path: str) -> None:
    asked = st.query_params.get(ADDRESS, path) if path == PAGE else path
    page_head.show("Page not found", ":material/explore_off:")
    where = literal(f"/{asked.strip('/')}")
    st.markdown(f"There is nothing at *{where}*. The link may be old, or mistyped.")
    for name in LINKS:
        st.page_link(page_file(name), icon=":material/arrow_forward:")
