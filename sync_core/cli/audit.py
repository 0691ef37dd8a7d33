"""The audit trail from the shell: whether it is whole, and as a file."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sync_core import organizations
from sync_core.audit import exports, hash_chain
from sync_core.cli.common import (
    as_person,
    json_option,
    of_organization,
    organization,
    prepared,
    who,
)
from sync_core.foundation import db
from sync_core.foundation.vocabulary import ActionKind, RunStatus
from sync_core.organizations import Organization
from sync_core.runs.filters import Filter

BROKEN = 8


@click.command()
@click.option("--org", metavar="SLUG", help="Only this organization.")
@click.option("--head", "noted", metavar="HASH", help="A head noted earlier: is it in a chain?")
@json_option
@prepared
def verify(org: str | None, noted: str | None, *, as_json: bool) -> int:
    """Walk the audit's chain, and name the first broken link."""
    with db.begin() as connection:
        found = [organizations.get(connection, org)] if org else organizations.everyone(connection)
    verdicts = {one.slug: _verify(one) for one in found}
    lost = bool(noted) and not any(_holds(one, str(noted)) for one in found)
    if as_json:
        click.echo(
            json.dumps({"organizations": verdicts, "head_found": not lost if noted else None})
        )
    else:
        click.echo("\n".join(_told(slug, verdict) for slug, verdict in verdicts.items()))
        if lost:
            click.echo("The noted head is in none of these chains: one was rewritten.")
    return BROKEN if lost or any(verdict["broken"] for verdict in verdicts.values()) else 0


def _holds(organization: Organization, noted: str) -> bool:
    with db.begin() as connection:
        return hash_chain.holds(connection, organization, noted)


def _verify(organization: Organization) -> dict[str, Any]:
    with db.begin() as connection:
        verdict = hash_chain.verify(connection, organization)
        hash_chain.keep(connection, organization, verdict)
    return {
        "links": verdict.links,
        "head": verdict.head.hex() if verdict.head else None,
        "through": verdict.at.isoformat(timespec="seconds"),
        "broken": verdict.broken,
    }


def _told(slug: str, verdict: Mapping[str, Any]) -> str:
    if verdict["broken"]:
        return f"{slug}: the chain is broken: {verdict['broken']}."
    through = f"whole through {verdict['through']}"
    return f"{slug}: {through}, {verdict['links']} links, head {verdict['head']}."


@click.command()
@click.option("--csv", "path", required=True, type=click.Path(path_type=Path), metavar="FILE")
@click.option("--since", type=click.DateTime(), help="From this moment on, UTC.")
@click.option("--until", type=click.DateTime(), help="Before this moment, UTC.")
@click.option("--resource", multiple=True)
@click.option("--status", multiple=True, type=click.Choice([status.value for status in RunStatus]))
@click.option("--trigger", multiple=True)
@click.option("--person", multiple=True, metavar="EMAIL")
@click.option("--team", multiple=True)
@click.option("--error", multiple=True, metavar="CODE")
@click.option("--action", multiple=True, type=click.Choice(list(ActionKind)))
@click.option("--search", default="", help="Each word occurs in the entry.")
@click.option("--bom", is_flag=True, help="Begin with a byte order mark, for Excel.")
@of_organization
@as_person
@prepared
def export(path: Path, org: str, email: str | None, *, bom: bool, **asked: Any) -> None:  # noqa: ANN401 - the options of the filter
    """Write the audit trail, or what the filters find of it, as CSV."""
    here = organization(org)
    asked |= {name: _in_utc(asked[name]) for name in ("since", "until")}
    wanted = Filter(organizations=(here.id,), **asked)
    file = exports.trail([(here, who(email, here))], wanted, bom=bom)
    written = exports.save(file, path)
    click.echo(f"Wrote {written.rows} entries to {path}, SHA-256 {written.digest.hexdigest()}.")


def _in_utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None
