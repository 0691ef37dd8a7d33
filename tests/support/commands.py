"""The commands of the shell, by their whole names: `source set`."""

from collections.abc import Iterator

import click

from sync_core.cli.main import cli


def names() -> list[str]:
    """Return the name of every command."""
    return [name for name, _ in commands()]


def commands(group: click.Group = cli, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Return every command with its name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def find(name: str) -> click.Command:
    """Return a command by its whole name."""
    return dict(commands())[name]
