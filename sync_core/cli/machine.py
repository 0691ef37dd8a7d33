"""The machine's own commands: start everything, migrate, maintain, name the servers."""

import click

from sync_core.cli import local_stack
from sync_core.cli.common import command, prepared
from sync_core.demo import organization as demo
from sync_core.execution import maintenance
from sync_core.foundation import db, settings


@click.command()
@click.option("--port", default=8600, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
@prepared
def up(port: int, workers: int) -> int:
    """Start everything: servers, workers, pages; stop with Ctrl-C."""
    found = settings.current()
    if found.database_url:
        return local_stack.run(port, click.echo, workers=workers)
    with db.everywhere() as connection:
        demo.load(connection, found.folders)
    cliniko = None if settings.given().reads_cliniko else found.data / settings.MADE_UP_CLINIKO
    return local_stack.run(port, click.echo, cliniko, workers)


@click.command()
@command
def migrate() -> None:
    """Bring the database to the newest version."""
    with db.as_owner() as connection:
        db.migrate(connection)
    click.echo("The database is at the newest version.")


@click.command()
@prepared
def maintain() -> None:
    """Run maintenance alone: it closes dead runs and pushes lost ones again."""
    maintenance.main()


@click.command()
@command
def env() -> None:
    """Print the addresses of Postgres and Redis, for a shell to evaluate."""
    urls = settings.urls()
    click.echo(f"DATABASE_URL='{urls.database.replace('+psycopg', '')}'")
    click.echo(f"SYNCDESK_MIGRATION_DATABASE_URL='{urls.owner.replace('+psycopg', '')}'")
    click.echo(f"REDIS_URL='{urls.redis}'")
