"""The commands about sources: where the data of a resource come from, and what is there."""

import json

import click

from sync_core import sources
from sync_core.catalogue import resources
from sync_core.cli import probes
from sync_core.cli.common import EXIT_CODES
from sync_core.cli.common import as_person as _as
from sync_core.cli.common import json_option as _json
from sync_core.cli.common import of_organization as _org
from sync_core.cli.common import organization as _organization
from sync_core.cli.common import prepared as _prepared
from sync_core.cli.common import shell as _shell
from sync_core.cli.common import who as _who
from sync_core.engine import probe
from sync_core.foundation import db
from sync_core.foundation.vocabulary import RunStatus
from sync_core.operations import administration, source_probes
from sync_core.organizations import allowed_sources, source_settings
from sync_core.runs import tab_titles
from sync_core.sources import SourceSetting


@click.group()
def source() -> None:
    """Set and test where the data of a resource come from."""


@source.command(
    "set",
    epilog=f"LOCATION is {sources.expected()}. The organization's key decides which account.",
)
@click.argument("resource")
@click.argument("location", metavar="[ENTITY=]LOCATION")
@click.option("--tab", metavar="NAME|GID", help="Tab of a Google Sheet.")
@click.option("--locale", help="How numbers and dates are written, such as de_DE.")
@click.option("--header-row", type=int, help="Row of the labels, where they are not found.")
@_org
@_as
@_json
@_prepared
def source_set(
    resource: str,
    location: str,
    org: str,
    email: str | None,
    header_row: int | None,
    *,
    as_json: bool,
    **more: str | None,
) -> None:
    """Set the source of a resource, or of one of its entities."""
    organization = _organization(org)
    found = administration.set_source(
        organization,
        _who(email, organization),
        resources.by_name(resource),
        location,
        tab=more["tab"],
        locale=more["locale"],
        header_row=header_row,
    )
    _print_settings(found, as_json=as_json)


@source.command("list")
@_org
@_json
@_prepared
def source_list(org: str, *, as_json: bool) -> None:
    """List the sources that are set."""
    organization = _organization(org)
    with db.within(organization.id) as connection:
        found = source_settings.read_all(connection, organization)
        found = tab_titles.named(connection, organization, found)
    _print_settings(found, as_json=as_json)


@source.command(
    "allow", epilog="Needed where there are several organizations. LOCATION may be cliniko, too."
)
@click.argument("location", metavar="LOCATION")
@_org
@_prepared
def source_allow(location: str, org: str) -> None:
    """Let an organization read a Google Sheet, or Cliniko with the key for its short name."""
    organization = _organization(org)
    name = administration.allow_source(organization, _shell(), location)
    click.echo(f"{organization.name} may read {name}.")


@source.command("forbid")
@click.argument("location", metavar="LOCATION")
@_org
@_prepared
def source_forbid(location: str, org: str) -> None:
    """Let an organization no longer read a source that it was allowed."""
    organization = _organization(org)
    name = administration.forbid_source(organization, _shell(), location)
    click.echo(f"{organization.name} may not read {name} any more.")


@source.command("allowed")
@_org
@_prepared
def source_allowed(org: str) -> None:
    """List the sources that an organization was allowed."""
    organization = _organization(org)
    with db.within(organization.id) as connection:
        for location in allowed_sources.of(connection, organization):
            click.echo(f"{location.kind}\t{location.location}")


def _print_settings(found: list[SourceSetting], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "resource": setting.resource,
                "entity": setting.entity,
                "kind": setting.kind,
                "location": setting.location,
                "tab": setting.tab,
                "locale": setting.locale,
                "header_row": setting.header_row,
            }
            for setting in found
        ]
        click.echo(json.dumps({"sources": rows}))
        return
    for setting in found:
        click.echo(f"{setting.resource}.{setting.entity}: {sources.source_name(setting)}")


@source.command("test")
@click.argument("resource")
@_org
@_as
@_json
@_prepared
def source_test(resource: str, org: str, email: str | None, *, as_json: bool) -> int:
    """Say what a sync would find in the source, and show its first rows; nothing is changed."""
    organization = _organization(org)
    tried = source_probes.probe_sources(organization, _who(email, organization), resource)
    refused = [one.error for one in tried if one.error]
    if as_json and not refused:
        click.echo(json.dumps(probe.as_json(resource, tried)))
    elif not as_json:
        click.echo("\n".join(probes.lines([one for one in tried if one.error not in refused[:1]])))
    if refused:
        raise refused[0]
    return EXIT_CODES[RunStatus.PARTIAL] if any(one.failed for one in tried) else 0
