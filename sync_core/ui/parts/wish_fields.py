"""The fields of a form in which somebody says what is to be told, and how often a digest comes."""

from collections.abc import Collection

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation.vocabulary import DigestPace, NoticeKind
from sync_core.notifications.wishes import Wish

KINDS: dict[NoticeKind, str] = {
    NoticeKind.FAILED: "A sync failed",
    NoticeKind.PARTIAL: "Synced only in part",
    NoticeKind.WAITING: "A plan waits for a decision",
    NoticeKind.RECOVERED: "Syncs work again",
    NoticeKind.STALE: "Data are older than their max age",
    NoticeKind.FRESH: "Data are within their max age again",
    NoticeKind.PAUSED: "A schedule is paused",
    NoticeKind.SUCCEEDED: "Every sync that succeeded",
}
BY_WISH = frozenset({NoticeKind.SUCCEEDED})  # what nobody is told of without asking for it
PACES: dict[DigestPace, str] = {
    DigestPace.NEVER: "Never",
    DigestPace.DAILY: "Every morning",
    DigestPace.WEEKLY: "Every Monday morning",
}


def kinds(key: str, chosen: Collection[NoticeKind]) -> frozenset[NoticeKind]:
    """Ask of what is to be told."""
    offered = list(KINDS)
    default = [kind for kind in offered if kind in chosen]
    picked = st.multiselect(
        "Tell of", offered, default, format_func=KINDS.__getitem__, key=f"kinds-{key}"
    )
    return frozenset(picked)


def some_resources(key: str, chosen: Collection[str] | None) -> frozenset[str] | None:
    """Ask of which resources; of all where none is chosen."""
    names = list(resources.CATALOGUE)
    picked = st.multiselect(
        "Of these resources alone",
        names,
        [name for name in names if name in (chosen or ())],
        format_func=lambda name: resources.CATALOGUE[name].title,
        placeholder="Of all resources",
        key=f"resources-{key}",
    )
    return frozenset(picked) or None


def pace(key: str, chosen: DigestPace) -> DigestPace:
    """Ask how often a digest comes."""
    paces = list(PACES)
    place = paces.index(chosen)
    return st.selectbox("Digest", paces, place, format_func=PACES.__getitem__, key=f"digest-{key}")


def in_words(wish: Wish) -> str:
    """Return what is told, in a line."""
    told = ", ".join(word.lower() for kind, word in KINDS.items() if kind in wish.kinds)
    names = [r.title for name, r in resources.CATALOGUE.items() if name in (wish.resources or ())]
    return f"{told or 'nothing'}; {' and '.join(names) or 'all resources'}"
