"""The command line: what the pages do, for the shell of the machine.

A command is loaded when it is asked for, and no other one: `COMMANDS` says where it is, and what
the list of all tells of it.
"""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import click

COMMANDS = {  # name: (module in this package, what it does)
    "cancel": ("syncs", "Cancel a sync: at once while it waits, else at its worker's next check."),
    "compare": (
        "comparing",
        "Put two runs of a resource beside each other: counts, columns, reasons, failed rows.",
    ),
    "confirm": (
        "syncs",
        "Apply exactly the plan with which RUN waits; this approves what a guard holds back.",
    ),
    "env": ("machine", "Print the addresses of Postgres and Redis, for a shell to evaluate."),
    "export": ("audit", "Write the audit trail, or what the filters find of it, as CSV."),
    "history": ("looking", "List the latest runs, or all that happened to one record."),
    "maintain": (
        "machine",
        "Run maintenance alone: it closes dead runs and pushes lost ones again.",
    ),
    "migrate": ("machine", "Bring the database to the newest version."),
    "org": ("organization", "Add and list organizations: whose data it is."),
    "person": ("organization", "Say who may come in, and with which role."),
    "prove": (
        "audit",
        "Write the proof of what RUN did to the row with this KEY, for anybody to check.",
    ),
    "rejects": ("audit", "Write the failed rows of a run, with what is wrong and how to fix it."),
    "retry": ("syncs", "Read the source again, and sync only the rows that had failed in RUN."),
    "schedule": ("schedule", "Say when resources are synced by themselves."),
    "source": ("source", "Set and test where the data of a resource come from."),
    "status": ("looking", "Tell how a run is, or how it ended."),
    "sync": (
        "syncs",
        "Start a sync of RESOURCE, of the source that is set or of the files that are given.",
    ),
    "token": ("tokens", "Make, list and revoke the tokens with which programs ask the API."),
    "undo": ("syncs", "Plan to take RUN back; nothing is changed before the plan is confirmed."),
    "up": ("machine", "Start everything: servers, workers, pages; stop with Ctrl-C."),
    "verify": ("audit", "Walk the audit's chain, and name the first broken link."),
}


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Load modules without looking for garbage: they stay, and to walk them again takes long."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # nor are they walked later
        gc.enable()


class _Commands(click.Group):
    """The commands by name."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return their names."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Load a command; None where there is none of this name."""
        if name not in COMMANDS:
            return None
        module, _ = COMMANDS[name]
        with _nothing_collected():
            found = getattr(import_module(f"sync_core.cli.{module}"), name)
        assert isinstance(found, click.Command)  # noqa: S101 - a test loads them all
        return found

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """List all, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Keep Postgres up to date with Google Sheets and Cliniko."""


def main() -> None:
    """Run the command; every refusal is one sentence and an exit code, never a trace."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    cli(prog_name="syncdesk")
