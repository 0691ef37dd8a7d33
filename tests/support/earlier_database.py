"""A database of its own, of an earlier version: what was kept in it before a migration."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import command
from sqlalchemy import Connection

from sync_core.foundation import revisions
from sync_core.foundation.embedded import Urls
from tests.support import owner


@contextmanager
def database_of(revision: str, urls: Urls) -> Iterator[Connection]:
    """Make a database of its own, of an earlier version."""
    name = f"earlier_{uuid.uuid4().hex[:12]}"
    with owner.connect() as servers:
        servers.execute(f"create database {name}")
        engine = sa.create_engine(sa.make_url(urls.owner).set(database=name))
        try:
            with engine.begin() as connection:
                command.upgrade(revisions.config(connection), revision)
                yield connection
        finally:
            engine.dispose()
            servers.execute(f"drop database {name}")
