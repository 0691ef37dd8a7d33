"""The demo organization before anything is in it: what a database of the demo's has at least."""

from sqlalchemy import Connection

from sync_core import organizations


def make(connection: Connection) -> None:
    """Add the demo organization where there is none at all yet."""
    if not organizations.everyone(connection):
        organizations.add(
            connection, organizations.DEFAULT, "Northwind Care", "AU", "Australia/Perth"
        )
