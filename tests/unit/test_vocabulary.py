import ast
import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from sync_core.foundation import vocabulary
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import COUNTS, OutcomeKind, RunStatus

CODE = [
    path
    for path in (ROOT / "sync_core").rglob("*.py")
    if "migrations" not in path.parts and path.name != "vocabulary.py"
]
SETS = [frozenset(RunStatus), frozenset(COUNTS)]


def sets_of_words(path: Path) -> Iterator[tuple[int, frozenset[object]]]:
    """Return the tuples, lists and sets of two or more texts, with their lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and len(node.elts) > 1:
            words = [part.value for part in node.elts if isinstance(part, ast.Constant)]
            if len(words) == len(node.elts):
                yield node.lineno, frozenset(words)


def test_no_room_states_a_set_of_statuses_or_outcomes_again() -> None:
    again = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in CODE
        for line, words in sets_of_words(path)
        if any(words <= known for known in SETS)
    ]
    assert again == []


def test_every_status_is_active_waiting_or_ended() -> None:
    kinds = [*vocabulary.ACTIVE, RunStatus.WAITING, *vocabulary.ENDED]
    assert sorted(kinds) == sorted(RunStatus)


def test_applied_and_failed_runs_have_ended() -> None:
    assert {*vocabulary.APPLIED, *vocabulary.FAILED} < vocabulary.ENDED


@pytest.mark.parametrize("word", [RunStatus.TIMED_OUT, OutcomeKind.FAILED])
def test_a_word_is_sent_and_shown_as_plain_text(word: StrEnum) -> None:
    assert f"{word}" == word.value
    assert json.dumps({word: word}) == json.dumps({word.value: word.value})
