"""The commands of the shell, by their whole names: `source set`."""

import click

from sync_core.cli.main import cli


def names(group: click.Group = cli, prefix: str = "") -> list[str]:
    """Return the name of every command."""
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += names(command, f"{prefix}{name} ")
        else:
            found.append(f"{prefix}{name}")
    return found


def find(name: str) -> click.Command:
    """Return a command by its whole name."""
    command: click.Command = cli
    for part in name.split():
        assert isinstance(command, click.Group)
        command = command.commands[part]
    return command
