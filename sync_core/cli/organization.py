"""The commands about organizations and their people: whose data it is, and who may come in."""

import click

from sync_core import organizations
from sync_core.cli.common import as_person as _as
from sync_core.cli.common import command as _command
from sync_core.cli.common import of_organization as _org
from sync_core.cli.common import organization as _organization
from sync_core.cli.common import prepared as _prepared
from sync_core.cli.common import shell as _shell
from sync_core.cli.common import who as _who
from sync_core.foundation import db, settings
from sync_core.foundation.vocabulary import Role
from sync_core.operations import administration
from sync_core.organizations import allowed_sources, people
from sync_core.organizations.people import Person


@click.group()
def org() -> None:
    """Add and list organizations: whose data it is."""


@org.command("add")
@click.argument("slug")
@click.argument("name")
@click.option("--country", default="AU", show_default=True, help="ISO code, for phones.")
@click.option("--time-zone", default="UTC", show_default=True)
@_prepared
def org_add(slug: str, name: str, country: str, time_zone: str) -> None:
    """Add an organization; `person set` then lets its first administrator in."""
    added = administration.add_organization(_shell(), slug, name, country, time_zone)
    click.echo(f"Added {added.name} ({added.slug}).")
    _warn_of_keys()


@org.command("list")
@_prepared
def org_list() -> None:
    """List the organizations."""
    with db.everywhere() as connection:
        for found in organizations.everyone(connection):
            click.echo(f"{found.slug}\t{found.name}\t{found.country}\t{found.time_zone}")
    _warn_of_keys()


def _warn_of_keys() -> None:
    with db.everywhere() as connection:
        for told in allowed_sources.unused_keys(connection, settings.current()):
            click.echo(told, err=True)


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
    """Offer somebody a place with a role, which they take on the pages; or change the role."""
    organization = _organization(org)
    changed = Person(name, address, Role(role), team)
    administration.put_person(organization, _who(email, organization), changed)
    click.echo(f"{name} ({address}) is {role} of {organization.name}.")


@person.command("remove")
@click.argument("address", metavar="EMAIL")
@_org
@_as
@_command
def person_remove(address: str, org: str, email: str | None) -> None:
    """Take somebody out of an organization."""
    organization = _organization(org)
    administration.remove_person(organization, _who(email, organization), address)
    click.echo(f"{address} does not belong to {organization.name} any more.")


@person.command("let-in")
@click.argument("address", metavar="EMAIL")
@_org
@_as
@_command
def person_let_in(address: str, org: str, email: str | None) -> None:
    """Let somebody sign in with another account: the next with their address is theirs."""
    organization = _organization(org)
    administration.let_account_in(organization, _who(email, organization), address)
    click.echo(f"The next account with the address {address} is theirs.")


@person.command("list")
@_org
@_command
def person_list(org: str) -> None:
    """List the people of an organization."""
    organization = _organization(org)
    with db.within(organization.id) as connection:
        for found in people.everyone(connection, organization.id):
            click.echo(f"{found.email}\t{found.role}\t{found.name}\t{found.team}")
