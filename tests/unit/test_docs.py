import re
from dataclasses import fields
from pathlib import Path

from sync_core.foundation.settings import ROOT, Settings
from tests.support.commands import find, names

README = Path(ROOT, "README.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_the_code_s() -> None:
    told = re.findall(r"^\| `([A-Z_<>]+)` \| (.+) \|$", README, re.MULTILINE)
    assert told == [(f.metadata["name"], f.metadata["meaning"]) for f in fields(Settings)]


def test_the_table_of_commands_names_every_command() -> None:
    told = set()
    for line in re.findall(r"^\| (`syncdesk .+?) \|", README, re.MULTILINE):
        told |= {name.removeprefix("syncdesk ") for name in re.findall(r"`(.+?)`", line)}
    assert told == set(names())


def test_every_command_says_what_it_does() -> None:
    silent = [name for name in names() if not find(name).help]
    assert silent == []
