import re
from dataclasses import fields
from pathlib import Path

import click

from sync_core.cli.main import cli
from sync_core.foundation.settings import ROOT, Settings

README = Path(ROOT, "README.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_the_code_s() -> None:
    told = re.findall(r"^\| `([A-Z_<>]+)` \| (.+) \|$", README, re.MULTILINE)
    assert told == [(f.metadata["name"], f.metadata["meaning"]) for f in fields(Settings)]


def test_the_table_of_commands_names_every_command() -> None:
    told = set()
    for line in re.findall(r"^\| (`syncdesk .+?) \|", README, re.MULTILINE):
        told |= {name.removeprefix("syncdesk ") for name in re.findall(r"`(.+?)`", line)}
    assert told == set(_names(cli))


def _names(group: click.Group, prefix: str = "") -> list[str]:
    names = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            names += _names(command, f"{name} ")
        else:
            names.append(f"{prefix}{name}")
    return names


def test_every_command_says_what_it_does() -> None:
    silent = [name for name in _names(cli) if not _find(name).help]
    assert silent == []


def _find(name: str) -> click.Command:
    command: click.Command = cli
    for part in name.split():
        assert isinstance(command, click.Group)
        command = command.commands[part]
    return command
