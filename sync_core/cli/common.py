"""What the commands of the shell share: whose data, who acts, and errors as exit codes."""

import json
import logging
import os
import pwd
import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import click

from sync_core import organizations
from sync_core.cli import hints
from sync_core.demo import empty_organization
from sync_core.foundation import db, settings
from sync_core.foundation.embedded import EmbeddedError
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import SettingsError
from sync_core.foundation.vocabulary import Role, RunStatus
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person

INTERNAL, REFUSED = 1, 5
EXIT_CODES = {
    RunStatus.COMPLETED: 0,
    RunStatus.PARTIAL: 3,
    RunStatus.FAILED: 4,
    RunStatus.TIMED_OUT: 4,
    RunStatus.EXPIRED: 4,
    RunStatus.WAITING: 6,
    RunStatus.CANCELLED: 7,
}
P = ParamSpec("P")

log = logging.getLogger("syncdesk")

of_organization = click.option(
    "--org", default=organizations.DEFAULT, show_default=True, metavar="SLUG"
)
as_person = click.option(
    "--as", "email", metavar="EMAIL", help="Act as this person; else as the machine's shell."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON only.")


def command(function: Callable[P, int | None]) -> Callable[P, None]:
    """Turn what a command raises into a sentence and an exit code."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            code = function(*args, **kwargs)
        except click.UsageError:
            raise  # click tells it
        except SyncError as error:
            refuse(error, REFUSED, as_json=as_json)
        except (SettingsError, EmbeddedError) as error:  # they say themselves what to do
            _end({"code": "settings", "message": str(error)}, INTERNAL, as_json=as_json)
        except Exception as error:
            if told := db.as_sync_error(error):
                log.info("the database: %s", error)
                refuse(told, INTERNAL, as_json=as_json)
            log.exception("unexpected")
            refuse(SyncError("unexpected"), INTERNAL, as_json=as_json)
        sys.exit(code or 0)

    return run


def prepared(function: Callable[P, int | None]) -> Callable[P, None]:
    """Make a command whose database is at the newest version."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> int | None:
        prepare()
        return function(*args, **kwargs)

    return command(run)


def prepare() -> None:
    """Bring the database to the newest version; the demo's has its organization."""
    db.prepare()
    with db.everywhere() as connection:
        if not settings.current().database_url:
            empty_organization.make(connection)


def refuse(error: SyncError, status: int, *, as_json: bool) -> NoReturn:
    """Say why not, and which command helps, in the form that was asked for, and end."""
    told = {"code": error.code, "message": error.sentence, "advice": error.advice}
    if command := hints.hint(error):
        told["command"] = command
    _end(told, status, as_json=as_json)


def _end(told: dict[str, str], status: int, *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"error": told}))
    else:
        words = [told["message"], told.get("advice", "")]
        words += [f"Command: {told['command']}"] if "command" in told else []
        click.echo(" ".join(filter(None, words)), err=True)
    sys.exit(status)


def who(email: str | None, of: Organization) -> Person:
    """Return the person to act as, as the organization knows them. Raises unknown_person."""
    if email is None:
        return shell()
    with db.within(of.id) as connection:
        found = people.find(connection, of.id, email)
    if found is None:
        raise SyncError("unknown_person", email=email, organization=of.name)
    return found


def shell() -> Person:
    """Return who acts by the shell of the machine: whoever has it may do everything.

    It is the system's user by number: what variables say, the user may have written.
    """
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:  # as in a container that runs under a number
        name = f"user-{number}"
    return Person(name, f"{name}@localhost", Role.ADMIN, "Command line", is_operator=True)


def organization(slug: str) -> Organization:
    """Return the organization of this short name. Raises SyncError."""
    with db.everywhere() as connection:
        return organizations.get(connection, slug)
