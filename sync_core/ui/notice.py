"""The notification of a run: blue on its way, then green, amber or red, until it is closed."""

from collections.abc import Callable

import streamlit as st

from sync_core.errors import SyncError
from sync_core.runs import Run
from sync_core.ui import news
from sync_core.ui.news import News
from sync_core.ui.visitor import Visitor
from sync_core.ui.words import literal, look

REFUSED = "refused"  # session key of the sentence with which a click was refused
ALERTS = {"blue": st.info, "green": st.success, "orange": st.warning, "red": st.error}


def show(visitor: Visitor, resource: str, found: News) -> None:
    """Show the notice of the resource's run, and of a click that was refused."""
    _show_refusal(resource)
    run = found.runs.get(resource)
    if run and found.noticed(run, visitor.person.email):
        title, body = _on_its_way(run, found) if run.active else _ended(run)
        _alert(
            f"notice-{resource}",
            look(run).color,
            title,
            body,
            look(run).icon,
            lambda: news.dismiss(run, visitor.person.email),
        )


def refuse(resource: str, error: SyncError) -> None:
    """Keep the sentence with which a click was refused, until it is read."""
    st.session_state[f"{REFUSED}-{resource}"] = (error.sentence, error.advice)


def accept(resource: str) -> None:
    """Forget that a click was refused."""
    st.session_state.pop(f"{REFUSED}-{resource}", None)


def _show_refusal(resource: str) -> None:
    if refused := st.session_state.get(f"{REFUSED}-{resource}"):
        title, body = map(literal, refused)
        icon = ":material/front_hand:"
        _alert(f"refusal-{resource}", "orange", title, body, icon, lambda: accept(resource))


def _on_its_way(run: Run, found: News) -> tuple[str, str]:
    if run.cancelling:
        return "Cancelling...", "Nothing will be changed."
    title = "Sync started..." if run.status == "queued" else "Sync in progress..."
    if not found.live:
        return title, "Live progress is unavailable; the sync goes on."
    return title, "You can go on working; it goes on without this page."


def _ended(run: Run) -> tuple[str, str]:
    """Give what happened as title and body; the message says it, the advice what to do."""
    lines = [run.message, run.advice, *run.notes]
    return look(run).word, "\n\n".join(literal(line) for line in lines if line)


def _alert(
    key: str, color: str, title: str, body: str, icon: str, close: Callable[[], None]
) -> None:
    with st.container(
        horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall", key=key
    ):
        ALERTS.get(color, st.info)(body, title=title, icon=icon, width="stretch")
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=f"close-{key}",
            help="Close notification",
            on_click=close,
        )
