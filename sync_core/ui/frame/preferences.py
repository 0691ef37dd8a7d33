"""How a person wants the pages: theme, time zone, shortcuts of the keyboard."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Theme
from sync_core.organizations.preferences import TIME_ZONES, Preferences
from sync_core.ui import STATIC
from sync_core.ui.frame import error_box, visitor
from sync_core.ui.frame.visitor import Visitor

THEMES = {Theme.SYSTEM: "As the system", Theme.LIGHT: "Light", Theme.DARK: "Dark"}
SHORTCUTS = {  # the path of the page to which each leads; of the first, what is on the page
    "/": ("Search this page", ""),
    "g o": ("Go to the overview", "/"),
    "g a": ("Go to the analytics", "/analytics"),
    "g i": ("Go to the inbox", "/inbox"),
    "g u": ("Go to the audit", "/audit"),
    "?": ("Help", "/help"),
}
DONE = "preferences-saved"  # in the session, until it is told: whether they were, or why not
_apply = st.components.v2.component(
    "preferences", js=(STATIC / "preferences.js").read_text(encoding="utf-8")
)


def apply(here: Visitor, paths: Sequence[str]) -> None:
    """Let the browser show the theme on all of these pages, and hear the shortcuts."""
    ways = {keys: path for keys, (_, path) in SHORTCUTS.items()}
    data = {
        "theme": here.preferences.theme.capitalize(),
        "paths": [f"/{path}" for path in paths],
        "shortcuts": ways if here.preferences.shortcuts else {},
    }
    _apply(key="preferences", data=data, height=0)


def name_zone(here: Visitor) -> None:
    """Name the time zone of all moments on the page, once."""
    place = here.zone.key.replace("_", " ")
    st.caption(f":material/schedule: Times are in {place}.")


def offer(here: Visitor) -> None:
    """Offer to change how the pages are."""
    if st.button("Preferences", icon=":material/tune:", type="tertiary", key="open-preferences"):
        visitor.dialog(here, "Preferences", ":material/tune:", partial(_ask, here))


def _ask(here: Visitor) -> None:
    now = here.preferences
    st.segmented_control(
        "Theme",
        list(THEMES),
        default=now.theme,
        format_func=THEMES.__getitem__,
        required=True,
        key="preferred-theme",
    )
    browser = st.context.timezone or here.organization.time_zone
    zones = ["", *sorted(TIME_ZONES)]
    st.selectbox(
        "Time zone",
        zones,
        index=zones.index(now.time_zone) if now.time_zone in zones else 0,
        format_func=lambda name: name.replace("_", " ") or f"As the browser ({browser})",
        key="preferred-zone",
    )
    st.toggle(
        "Shortcuts of the keyboard",
        now.shortcuts,
        help="Help lists them.",
        key="preferred-shortcuts",
    )
    st.button(
        "Save",
        type="primary",
        icon=":material/save:",
        key="save-preferences",
        on_click=_save,
        args=(here,),
    )
    done = st.session_state.pop(DONE, None)
    if isinstance(done, SyncError):
        error_box.show_sentence(done)
    elif done:
        st.rerun()  # which closes the dialog


def _save(here: Visitor) -> None:
    """Keep what is chosen in the dialog."""
    theme, zone, keys = (
        st.session_state[f"preferred-{what}"] for what in ("theme", "zone", "shortcuts")
    )
    try:
        visitor.prefer(here, Preferences(Theme(theme), zone, keys))
        st.session_state[DONE] = True
    except SyncError as error:
        st.session_state[DONE] = error
