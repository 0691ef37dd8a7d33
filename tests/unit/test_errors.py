"""Every error that the code can raise is in its catalogue, with the facts that its words need."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.cli.hints import HINTS
from sync_core.foundation.errors import CATALOGUE, SyncError
from sync_core.foundation.errors.of_http import OF_HTTP
from sync_core.foundation.errors.of_requests import OF_REQUESTS
from sync_core.foundation.errors.of_runs import OF_RUNS
from sync_core.foundation.errors.of_sources import OF_SOURCES
from sync_core.foundation.errors.of_the_machine import OF_THE_MACHINE
from sync_core.foundation.settings import ROOT
from tests.support import code_reader
from tests.support.code_reader import Site, facts_in, words
from tests.support.commands import names

EVERY_FIELD_GIVES = {"label", "text", "shown", "value"}
FIELDS = "sync_core/catalogue/fields/"
SHELL = re.compile(r"syncdesk|python|\bmake (run|test|check|lock)\b|(?<!-)--[a-z]|\.py\b")
SETTING = re.compile(r"\b[A-Z]{3,}_[A-Z_]{3,}\b")


@cache
def run_errors() -> list[Site]:
    return list(code_reader.sites("SyncError", given=frozenset({"retry_after", "pause"})))


@cache
def cell_errors() -> list[Site]:
    """Return what the engine says of rows; what fields say of cells is read below."""
    in_sql = code_reader.sites("scope.issue", position=1, given=frozenset({"cause", "beside"}))
    return [*in_sql, *code_reader.sites("cell_codes.sentence")]


def used_by_run_error(code: str) -> frozenset[str]:
    entry = CATALOGUE[code]
    return facts_in(entry.sentence, entry.advice, HINTS.get(code, ""))


# Errors of a run


def test_every_error_is_raised_with_a_code_and_facts_that_can_be_read() -> None:
    assert [site for site in run_errors() if site.codes is None or site.facts is None] == []
    assert len(run_errors()) > 100


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    assert [s for s in run_errors() for code in s.codes or () if code not in CATALOGUE] == []


def test_no_code_stands_in_two_modules() -> None:
    parts = (OF_SOURCES, OF_RUNS, OF_REQUESTS, OF_HTTP, OF_THE_MACHINE)
    assert sum(map(len, parts)) == len(CATALOGUE)


def test_every_code_of_the_catalogue_is_raised() -> None:
    raised = {code for site in run_errors() for code in site.codes or ()}
    assert set(CATALOGUE) - raised == set()


def test_an_error_is_given_the_facts_that_its_words_name_and_no_others() -> None:
    wrong = [
        (site.place, code, set(site.facts ^ used_by_run_error(code)))
        for site in run_errors()
        for code in site.codes or ()
        if site.facts is not None and site.facts != used_by_run_error(code)
    ]
    assert wrong == []


def test_a_sentence_says_more_than_its_facts() -> None:
    bare = [
        c for c, e in CATALOGUE.items() if not re.search(r"\w", re.sub(r"\{\w+\}", "", e.sentence))
    ]
    assert bare == []


def test_sentence_and_advice_are_whole_sentences() -> None:
    for code, entry in CATALOGUE.items():
        for text in (entry.sentence, entry.advice):
            assert re.fullmatch(r"[A-Z'{].*[.}]", text), code
            assert "!" not in text, code


def test_an_error_that_repeats_its_sentence_names_the_facts_of_each() -> None:
    error = SyncError("missing_column", sheet="S", each=[{"label": n, "hint": ""} for n in "AB"])
    assert str(error) == "Column 'A' is missing. Column 'B' is missing."


# Issues of rows and cells


def test_every_code_of_an_issue_is_in_its_catalogue_with_its_facts() -> None:
    wrong = [
        (site.place, code)
        for site in cell_errors()
        for code in site.codes or ()
        if code not in CELL_CODES or site.facts != facts_in(CELL_CODES[code].sentence)
    ]
    assert wrong == []
    assert len(cell_errors()) >= 6


def test_every_code_of_a_cell_that_is_raised_or_written_is_in_the_catalogue() -> None:
    raised = [
        *code_reader.sites("CellError"),
        *code_reader.sites("_lookup", position=2),
        *code_reader.sites("Issue", position=1),
    ]
    assert [s for s in raised for code in s.codes or () if code not in CELL_CODES] == []
    assert len(raised) > 20


def test_every_code_of_an_issue_is_given_by_somebody() -> None:
    said = {
        word
        for path, module in code_reader.modules().items()
        if not path.endswith("cell_codes.py")
        for word in words(module)
    }
    assert set(CELL_CODES) - said == set()


def test_the_codes_of_the_two_catalogues_do_not_meet() -> None:
    assert set(CATALOGUE) & set(CELL_CODES) == set()


def functions_of_fields() -> dict[str, ast.FunctionDef]:
    return {
        node.name: node
        for path, module in code_reader.modules().items()
        if path.startswith(FIELDS)
        for node in module.body
        if isinstance(node, ast.FunctionDef)
    }


def classes_of_fields() -> dict[str, ast.ClassDef]:
    return {
        node.name: node
        for path, module in code_reader.modules().items()
        if path.startswith(FIELDS)
        for node in module.body
        if isinstance(node, ast.ClassDef)
        and [ast.unparse(base) for base in node.bases] == ["Field"]
    }


def codes_of(node: ast.AST, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return the codes that a piece of code names, and the functions that it calls."""
    codes = set(words(node)) & set(CELL_CODES)
    known = functions_of_fields()
    for name in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - seen:
        if name in known:
            codes |= codes_of(known[name], seen | {name})
    return codes


def facts_of(node: ast.ClassDef) -> set[str]:
    """Return the facts that a field's own method gives."""
    given = [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "facts"]
    returned = [n.value for f in given for n in ast.walk(f) if isinstance(n, ast.Return)]
    dicts = [value for value in returned if isinstance(value, ast.Dict)]
    assert len(dicts) == len(given)
    return {key for found in dicts for key in map(_text, found.keys)}


def _text(key: ast.expr | None) -> str:
    assert isinstance(key, ast.Constant)
    return str(key.value)


def needed(codes: set[str]) -> set[str]:
    return {fact for code in codes for fact in facts_in(CELL_CODES[code].sentence)}


@pytest.mark.parametrize("name", classes_of_fields())
def test_a_field_gives_the_facts_of_its_codes_and_no_others(name: str) -> None:
    field = classes_of_fields()[name]
    given, wanted = facts_of(field), needed(codes_of(field))
    assert wanted - given - EVERY_FIELD_GIVES == set()
    assert given - wanted == set()


# What the words are


def texts() -> Iterator[tuple[str, str]]:
    for code, entry in CATALOGUE.items():
        yield from ((code, entry.sentence), (code, entry.advice))
    for code, found in CELL_CODES.items():
        yield from ((code, found.summary), (code, found.sentence), (code, found.advice))


def test_no_words_that_can_reach_a_page_quote_a_command() -> None:
    assert [(code, text) for code, text in texts() if SHELL.search(text)] == []
    assert [(code, text) for code, text in texts() if SETTING.search(text)] == []


def test_no_page_and_no_answer_of_the_api_quotes_a_command_or_a_setting() -> None:
    quoted = re.compile(r"\bsyncdesk [a-z]+|worker\.py|\b(SYNCDESK|CLINIKO|GOOGLE|DATABASE)_[A-Z]")
    at_the_start = {"demo_sign_in.py", "sign_in.py", "app.py"}  # told to who starts the program
    found = [
        (path.name, text)
        for room in ("ui", "api")
        for path in Path(ROOT, "sync_core", room).rglob("*.py")
        if path.name not in at_the_start
        for text in said_in(ast.parse(path.read_text(encoding="utf-8")))
        if quoted.search(text)
    ]
    assert found == []


def said_in(tree: ast.Module) -> set[str]:
    """Return the texts of a module, but for its docstrings."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    rooms = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    docstrings = {ast.get_docstring(room, clean=False) for room in rooms}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and text not in docstrings}


def test_every_command_that_the_shell_is_told_exists() -> None:
    assert set(HINTS) - set(CATALOGUE) == set()
    told = [hint.removeprefix("syncdesk ") for hint in HINTS.values() if "syncdesk" in hint]
    assert [hint for hint in told if not hint.startswith(tuple(names()))] == []


def test_a_summary_names_no_fact_and_no_issue_ends_in_a_full_stop() -> None:
    for code, found in CELL_CODES.items():
        assert not facts_in(found.summary), code
        assert not found.summary.endswith("."), code
        assert not found.sentence.endswith("."), code


# Who speaks of codes


def test_every_code_that_is_compared_exists() -> None:
    known = set(CATALOGUE) | set(CELL_CODES)
    strange = [
        (f"{path}:{node.lineno}", word)
        for path, module in code_reader.modules().items()
        for node in ast.walk(module)
        if isinstance(node, ast.Compare) and re.search(r"\bcode$", ast.unparse(node.left))
        for comparator in node.comparators
        for word in words(comparator)
        if word not in known
    ]
    assert strange == []


def test_every_code_in_a_docstring_exists() -> None:
    told = [
        (path, code)
        for path, module in code_reader.modules().items()
        for text in words(module)
        for sentence in re.findall(r"Raises SyncError([^.]*)", text)
        for code in re.findall(r"[a-z]+(?:_[a-z0-9]+)+", sentence)
    ]
    assert [(path, code) for path, code in told if code not in CATALOGUE] == []
    assert len(told) > 20
