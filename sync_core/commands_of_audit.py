"""The audit trail from the shell: whether it is whole."""

import json
from collections.abc import Mapping
from typing import Any

import click

from sync_core import chain, db, organizations
from sync_core.commands import json_option, prepared
from sync_core.organizations import Organization

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
        return chain.holds(connection, organization, noted)


def _verify(organization: Organization) -> dict[str, Any]:
    with db.begin() as connection:
        verdict = chain.verify(connection, organization)
        chain.keep(connection, organization, verdict)
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
