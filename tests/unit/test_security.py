"""The page on security tells what is so: its tests exist, and no right is larger than needed."""

import ast
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_core.foundation import settings
from sync_core.foundation.settings import ROOT
from sync_core.sources.google import service_account
from tests.support.fakes.google import Google

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ATTACKS = [row for row in PAGE.splitlines() if row.startswith("| ") and "`tests/" in row]
ASKS = {"request", "stream", "send", "build_request"}  # with a method, as their first part
READS = {"get", "GET"}
CLIENTS = r"\b(httpx2|gspread|way_out)\b"
WRITES = {"post", "put", "patch", "delete", "batch_update", "values_update", "values_append"}


def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_page_names_attacks() -> None:
    assert len(ATTACKS) >= 40


def test_no_attack_is_told_twice() -> None:
    attacks, tests = ([row.split("|")[part].strip() for row in ATTACKS] for part in (1, 3))
    assert sorted(set(tests)) == sorted(tests)
    told = [attack for attack in attacks if not attack.startswith("the same")]
    assert sorted(set(told)) == sorted(told)


@pytest.mark.parametrize("row", ATTACKS, ids=lambda row: row.split("|")[1].strip())
def test_each_attack_has_a_test_that_exists(row: str) -> None:
    (path, name), *more = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
    assert not more
    assert name in names_in(path)


def test_google_is_asked_for_no_right_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    with Google() as google:
        key = json.dumps(google.service_account())
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_JSON", key)
    settings.current.cache_clear()
    asked = service_account.credentials(settings.current()).scopes
    settings.current.cache_clear()
    assert asked
    assert [scope for scope in asked if not scope.endswith(".readonly")] == []


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Find the calls in modules that ask servers."""
    for file in (ROOT / "sync_core" / "sources").rglob("*.py"):
        text = file.read_text("utf-8")
        for node in ast.walk(ast.parse(text if re.search(CLIENTS, text) else "")):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield f"{file.name}:{node.lineno}", node


def test_no_source_is_asked_for_more_than_to_read() -> None:
    asked = [(where, call) for where, call in calls() if _name(call) in ASKS]
    methods = {
        call.args[0].value
        for _, call in asked
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    assert methods
    assert methods <= READS
    assert [where for where, call in calls() if _name(call) in WRITES] == []


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


# Known holes of packages


def audited(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Ask for known holes, of a program that behaves as pip-audit does."""
    program = folder / "pip-audit"
    program.write_text(f"#!/bin/bash\n{script}\n", "utf-8")
    program.chmod(0o700)
    told = {**os.environ, "PIP_AUDIT": str(program)}
    words = [str(ROOT / ".ci" / "audit")]
    return subprocess.run(words, env=told, capture_output=True, text=True, check=False)


def test_a_known_hole_fails_the_check(tmp_path: Path) -> None:
    done = audited(tmp_path, 'echo "[]" >"${@: -1}"; echo "Found 1 known vulnerability"; exit 1')
    assert (done.returncode, "have known holes" in done.stdout) == (1, True)
    assert "Found 1 known vulnerability" in done.stdout


def test_a_check_that_nobody_answers_says_so_and_fails_nothing(tmp_path: Path) -> None:
    done = audited(tmp_path, 'echo "ConnectionError: no such host" >&2; exit 1')
    assert (done.returncode, "could not run" in done.stdout) == (0, True)
    assert "no such host" in done.stdout
    assert "No package" not in done.stdout


def test_packages_without_known_holes_pass(tmp_path: Path) -> None:
    done = audited(tmp_path, 'echo "[]" >"${@: -1}"')
    assert (done.returncode, "No package of requirements.lock" in done.stdout) == (0, True)
