"""How a run is, as every command tells it that is about one."""

import json
from typing import Any

import click

from sync_core.catalogue import resources
from sync_core.cli import run_json
from sync_core.cli.common import EXIT_CODES
from sync_core.foundation.vocabulary import WITHOUT_WORKER
from sync_core.organizations import Organization
from sync_core.runs import Run, result_words


def report(
    organization: Organization,
    run: Run,
    *,
    as_json: bool,
    **more: Any,  # noqa: ANN401 - JSON
) -> int:
    """Print it; returns the exit code of its status."""
    if as_json:
        click.echo(json.dumps({**run_json.of_run(organization, run), **more}))
    else:
        going = "its worker was asked to end it." if run.cancelling else "running."
        click.echo(f"{begun(run)}: {run.message or going}")
        nobody = _why_nobody_takes_it() if run.status in WITHOUT_WORKER else None
        for line in (nobody, run.advice, *run.notes):
            if line:
                click.echo(line)
    return EXIT_CODES.get(run.status, 0)


def _why_nobody_takes_it() -> str | None:
    from sync_core.execution import queue  # noqa: PLC0415 - of a run that waits alone: it brings RQ

    return queue.problem()


def begun(run: Run) -> str:
    """Return how a line about a run begins: "Run 676, locations, partly synced"."""
    word = result_words.of_run(run)
    return f"Run {run.id}, {resources.CATALOGUE[run.resource].title.lower()}, {word.lower()}"
