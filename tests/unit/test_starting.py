"""A command loads what it needs, and nothing of the others: so the shell answers at once."""

import json
import subprocess
import sys

import click
import pytest

from sync_core.cli.main import COMMANDS, cli
from sync_core.foundation.settings import ROOT

HEAVY = "alembic gspread google httpx2 numpy pandas polars pyarrow redis requests rq tenacity"
DATABASE = "psycopg sqlalchemy"
LOADED = """
import json, sys
from click.testing import CliRunner
from sync_core.cli.main import cli
assert CliRunner().invoke(cli, sys.argv[1:]).exit_code == 0
print(json.dumps([name for name in sys.modules if "." not in name]))
"""


def loaded(*words: str) -> set[str]:
    """Return the libraries that a process has loaded when a command has ended."""
    answer = subprocess.run(
        [sys.executable, "-c", LOADED, *words], check=True, capture_output=True, text=True
    )
    return set(json.loads(answer.stdout))


def test_the_list_of_commands_loads_none() -> None:
    found = loaded("--help")
    assert "click" in found
    assert found.isdisjoint(f"{HEAVY} {DATABASE}".split())


@pytest.mark.parametrize("command", ["status", "history"])
def test_what_looks_at_runs_loads_what_asks_postgres_alone(command: str) -> None:
    found = loaded(command, "--help")
    assert found >= set(DATABASE.split())
    assert found.isdisjoint(HEAVY.split())


COLLECTED = """
import gc
import click
from sync_core.cli.main import cli
found = []
gc.callbacks.append(lambda phase, _: found.append(phase))
cli.get_command(click.Context(cli), "history")
print(len(found), gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


def test_nothing_that_a_command_loads_is_looked_through_for_garbage() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", COLLECTED], check=True, capture_output=True, text=True
    )
    assert answer.stdout.split() == ["0", "True", "True"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_tells_of_a_command_what_it_tells_of_itself(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command
    assert command.name == name
    assert COMMANDS[name][1] == " ".join((command.help or "").split("\n\n")[0].split())


PRELOADED = """
import sys
import sync_core.ui.preload
print(*(name for name in sys.modules if name.startswith("sync_core.ui.")))
"""


def test_the_first_visitor_of_a_page_waits_for_no_module_of_it() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", PRELOADED], check=True, capture_output=True, text=True
    )
    pages = ROOT / "sync_core" / "ui"
    files = (file.relative_to(ROOT).with_suffix("") for file in pages.rglob("*.py"))
    there = {".".join(file.parts) for file in files if file.name != "__init__"}
    frame = {name for name in there if name.startswith("sync_core.ui.frame.")}  # of the launcher
    assert there - frame <= set(answer.stdout.split())
