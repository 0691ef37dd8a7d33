"""Postgres as the role that owns the tables: what only it, or a superuser, can do to them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from sync_core.foundation import db, settings


def connect() -> psycopg.Connection:
    """Connect as the owner; each statement commits by itself."""
    return psycopg.connect(settings.urls().owner.replace("+psycopg", ""), autocommit=True)


@contextmanager
def undone() -> Iterator[db.Connection]:
    """Open a transaction as the owner of which nothing stays."""
    with db.as_owner() as connection:
        yield connection
        connection.rollback()
