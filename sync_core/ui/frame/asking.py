"""A change that is asked about by name before it is made, and undone where that is possible."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from sync_core.foundation.errors import SyncError
from sync_core.ui.frame import error_box, run_state, visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import source_line
from sync_core.ui.parts.words import literal

ANSWER = "answer-to-change"  # in the session, until it is closed
ASKED = "asked-in-drawer"  # in the session: the title of the question that a drawer asks
Change = Callable[[], object]


@dataclass(frozen=True)
class Question:
    """What is asked: a title that names it, what it does, and what is said afterwards."""

    title: str  # "Remove Sarah Lim?"
    means: str
    verb: str  # of the button: "Remove Sarah Lim"
    done: str  # "Sarah Lim was removed."
    icon: str
    chosen_by: Sequence[str] = ()  # the parameters of the address that name what is changed
    undone: str = "It is as it was before."  # said after Undo


@dataclass(frozen=True)
class Answer:
    """What became of a change."""

    told: str
    undo: Change | None = None
    undone: str = ""  # what is told after Undo
    refused: SyncError | None = None


def ask(here: Visitor, question: Question, change: Change, undo: Change | None = None) -> None:
    """Ask whether to make a change; an answer stays until it is closed, with Undo in it."""
    visitor.dialog(
        here, literal(question.title), question.icon, partial(_ask, question, change, undo)
    )


def offer(question: Question, change: Change, undo: Change | None = None, *, key: str) -> None:
    """Show the button of a change in a drawer, which asks there: no dialog opens over another."""
    if st.session_state.get(ASKED) == question.title:
        with st.container(border=True):
            st.markdown(f"**{literal(question.title)}**")
            _ask(question, change, undo)
    else:
        st.button(
            literal(question.verb),
            icon=question.icon,
            key=key,
            on_click=_ask_here,
            args=(question,),
        )


def _ask_here(question: Question) -> None:
    st.session_state[ASKED] = question.title


def ask_no_more() -> None:
    """Take the question of a drawer away."""
    st.session_state.pop(ASKED, None)


def show_answer() -> None:
    """Show what became of the last change, where it is not closed yet."""
    answer = st.session_state.get(ANSWER)
    if not isinstance(answer, Answer):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="answer"):
        if answer.refused:
            error_box.show_sentence(answer.refused)
        else:
            st.success(literal(answer.told), icon=":material/check:")
        if answer.undo:
            undo = partial(_make, answer.undo, Answer(answer.undone))
            st.button("Undo", icon=":material/undo:", key="undo-change", on_click=undo)
        st.button("Close", type="tertiary", key="close-answer", on_click=close)


def _ask(question: Question, change: Change, undo: Change | None) -> None:
    st.markdown(question.means)
    made = Answer(question.done, undo, question.undone)
    make = partial(_make, change, made, question.chosen_by)
    with st.container(horizontal=True):
        if st.button(
            literal(question.verb),
            icon=question.icon,
            type="primary",
            key="make-change",
            on_click=make,
        ):
            st.rerun()
        if st.button("Keep it as it is", key="keep-as-it-is", on_click=ask_no_more):
            st.rerun()


def _make(change: Change, answer: Answer, chosen_by: Sequence[str] = ()) -> None:
    try:
        change()
    except SyncError as error:
        answer = Answer("", refused=error)
    st.session_state[ANSWER] = answer
    for name in chosen_by:
        st.query_params.pop(name, None)
    ask_no_more()
    visitor.forget()
    source_line.forget()
    run_state.read.clear()


def close() -> None:
    """Take the answer away, and its Undo with it: what was saved since would be lost."""
    st.session_state.pop(ANSWER, None)
