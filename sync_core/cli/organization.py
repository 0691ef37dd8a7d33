"""The commands about organizations and their people: whose data it is, and who may come in."""

import click

from sync_core import organizations
from sync_core.cli.common import as_person as _as
from sync_core.cli.common import command as _command
from sync_core.cli.common import of_organization as _org
from sync_core.cli.common import organization as _organization
from sync_core.cli.common import prepared as _prepared
from sync_core.cli.common import who as _who
from sync_core.cli.common import who_anywhere as _who_anywhere
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.operations import administration
from sync_core.organizations import people
from sync_core.organizations.people import Person


@click.group()
def org() -> None:
    """Add and list organizations: whose data it is."""


@org.command("add")
@click.argument("slug")
@click.argument("name")
@click.option("--country", default="AU", show_default=True, help="ISO code, for phones.")
@click.option("--time-zone", default="UTC", show_default=True)
@_as
@_prepared
def org_add(slug: str, name: str, country: str, time_zone: str, email: str | None) -> None:
    """Add an organization, whose first administrator is who adds it (--as)."""
    joins = email is not None  # the shell of the machine is nobody who signs in
    added = administration.add_organization(
        _who_anywhere(email), slug, name, country, time_zone, joins=joins
    )
    click.echo(f"Added {added.name} ({added.slug}).")


@org.command("list")
@_prepared
def org_list() -> None:
    """List the organizations."""
    with db.begin() as connection:
        for found in organizations.everyone(connection):
            click.echo(f"{found.slug}\t{found.name}\t{found.country}\t{found.time_zone}")


@click.group()
def person() -> None:
    """Say who may come in, and with which role."""


@person.command("set")
@click.argument("address", metavar="EMAIL")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--team", default="", help="As in 'Sarah Lim from Operations'.")
@_org
@_as
@_command
def person_set(address: str, name: str, role: str, team: str, org: str, email: str | None) -> None:
    """Let somebody in with a role, or change the role."""
    organization = _organization(org)
    changed = Person(name, address, Role(role), team)
    administration.put_person(organization, _who(email, organization), changed)
    click.echo(f"{name} ({address}) is {role} of {organization.name}.")


@person.command("list")
@_org
@_command
def person_list(org: str) -> None:
    """List the people of an organization."""
    organization = _organization(org)
    with db.begin() as connection:
        for found in people.everyone(connection, organization.id):
            click.echo(f"{found.email}\t{found.role}\t{found.name}\t{found.team}")
