"""The guards that hold a plan back: what they have found, their thresholds, and what is usual."""

from collections.abc import Iterator, Sequence

import streamlit as st

from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import GuardKind
from sync_core.runs.plans import Tripped
from sync_core.ui.parts.words import capitalized, literal

APPROVAL = "Nothing is applied until somebody has approved it."

LABELS = {
    GuardKind.EMPTY_SOURCE: "The source is empty",
    GuardKind.REMOVALS: "Records gone from the source, or removed by an undo",
    GuardKind.CREATIONS: "Records that are new",
    GuardKind.FAILURES: "Rows that fail",
    GuardKind.UPDATES: "Records that change",
    GuardKind.FEWER_ROWS: "Rows fewer than in the last sync",
    GuardKind.BLANK_COLUMN: "Records in which a filled column is blank now",
    GuardKind.NEW_KEYS: "Keys that are new while known ones are gone",
    GuardKind.OTHER_SOURCE: "The source is not the one of the last sync",
}


def show(tripped: Sequence[Tripped], title: str = APPROVAL) -> None:
    """List the guards, where there are any."""
    if tripped:
        lines = "\n".join(f"- **{literal(_whole(one))}**  \n{_more(one)}" for one in tripped)
        st.warning(
            lines,
            title=title,
            icon=":material/front_hand:",
        )


def _whole(one: Tripped) -> str:
    return capitalized(one.sentence)


def _more(one: Tripped) -> str:
    return f":small[{'; '.join(_parts(one))}.]"


def _parts(one: Tripped) -> Iterator[str]:
    """Tell in Markdown which threshold was passed, and what is usual."""
    guard = f'Guard "{LABELS[GuardKind(one.guard)]}"'
    if one.more_than_rows is not None and one.more_than_percent is not None:
        limit = f"{count(one.more_than_rows, 'row')} and {one.more_than_percent}%"
        yield literal(f"{guard}: more than {limit}")
    else:
        yield literal(guard)
    if one.usual is not None:
        yield literal(f"usual in the last syncs: {one.usual:,}")
