"""Tokens from the shell: for programs that ask the API."""

import json

import click

from sync_core.cli.common import (
    as_person,
    json_option,
    of_organization,
    organization,
    prepared,
    who,
)
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.operations import tokens as operations
from sync_core.organizations import people, tokens
from sync_core.organizations.people import Permission


@click.group()
def token() -> None:
    """Make, list and revoke the tokens with which programs ask the API."""


@token.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option(
    "--only",
    "permissions",
    type=click.Choice(people.PERMISSIONS),
    multiple=True,
    help="Of what the role may, it may only this; repeat it for more.",
)
@click.option("--days", type=int, help="Ends after this many days; else when it is revoked.")
@of_organization
@as_person
@json_option
@prepared
def token_add(
    name: str,
    role: str,
    permissions: tuple[Permission, ...],
    days: int | None,
    org: str,
    email: str | None,
    *,
    as_json: bool,
) -> None:
    """Make a token called NAME, and print its secret: it is not shown again."""
    of = organization(org)
    secret = operations.add(of, who(email, of), name, Role(role), days, permissions)
    click.echo(json.dumps({"name": name, "token": secret}) if as_json else secret)


@token.command("list")
@of_organization
@json_option
@prepared
def token_list(org: str, *, as_json: bool) -> None:
    """List the tokens of an organization, with when each was last used."""
    of = organization(org)
    with db.within(of.id) as connection:
        found = tokens.everyone(connection, of.id)
    if as_json:
        click.echo(json.dumps({"tokens": [vars(one) for one in found]}, default=str))
        return
    for one in found:
        ends, used = one.ends_at or "does not end", one.used_at or "never used"
        may = f"{one.role}: {', '.join(one.permissions)}" if one.permissions else one.role
        click.echo(f"{one.name}\t{may}\t{one.made_by}\t{ends}\t{used}")


@token.command("revoke")
@click.argument("name")
@of_organization
@as_person
@prepared
def token_revoke(name: str, org: str, email: str | None) -> None:
    """Let the token called NAME count no more."""
    of = organization(org)
    operations.revoke(of, who(email, of), name)
    click.echo(f"{name} is revoked.")
