"""Every sentence of the program is in the words of docs/wording.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import ActionKind
from tests.support import code_reader

STORED = (ActionKind.BEGAN_EXPORT,)  # in the audit's chain of hashes, so never renamed
TABLE = re.compile(r"^\| .+ \| instead of \|\n\|---\|---\|\n((?:\|.+\|\n)+)", re.MULTILINE)
SQL = re.compile(r"\b(select|insert into|delete from|update \S+ set|join|drop table)\b")
IS_SENTENCE = re.compile(r"^[A-Z:]|\w \w")  # and not the name of something
TEMPLATES = ("*.html", "*.jinja")


def old_words() -> list[str]:
    text = Path(ROOT, "docs", "wording.md").read_text(encoding="utf-8")
    found = TABLE.search(text)
    rows = found[1].splitlines() if found else []
    cells = [row.strip("| ").split(" | ")[1] for row in rows]
    return [word for cell in cells for word in cell.split(", ")]


def sentences() -> Iterator[tuple[str, str]]:
    """Return every text that somebody may read, with its place."""
    for path, module in code_reader.modules().items():
        if "migrations" not in path:
            for line, text in code_reader.sentences(module):
                if IS_SENTENCE.search(text) and not SQL.search(text):
                    yield f"{path}:{line}", text
    for pattern in TEMPLATES:
        for file in Path(ROOT, "sync_core").rglob(pattern):
            yield file.name, file.read_text(encoding="utf-8")


def without_stored(text: str) -> str:
    for word in STORED:
        text = text.replace(word, "")
    return " ".join(text.split())


OLD = old_words()
ANY = re.compile(rf"\b({'|'.join(map(re.escape, OLD))})\b(?!-)", re.IGNORECASE)


def test_no_sentence_has_an_old_word() -> None:
    assert [
        f"{place}: {found[0]}: {text[:80]}"
        for place, text in sentences()
        if (found := ANY.search(without_stored(text)))
    ] == []


@pytest.mark.parametrize("word", ["mend", "on its way", "so many"])
def test_the_list_names_what_was_said_before(word: str) -> None:
    assert word in OLD
    assert ANY.search(f"This is {word}.")


def test_texts_are_found_wherever_people_read_them() -> None:
    code = '''"""Not read."""
A = f"{x} rows to mend"
def b():
    """Not read."""
@app.command("fix")
def c():
    """Mend it."""
'''
    found = [text for _, text in code_reader.sentences(ast.parse(code))]
    assert sorted(found) == ["Mend it.", "fix", "{} rows to mend"]
