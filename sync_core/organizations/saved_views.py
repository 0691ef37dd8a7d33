"""The views that people have saved of a page: its address, with search, filters and columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import tables
from sync_core.organizations.people import Person

_KEPT = tables.saved_views.c


@dataclass(frozen=True)
class SavedView:
    """What a person has named: the parameters of the page's address."""

    name: str
    address: Mapping[str, Sequence[str]]


def of_person(
    connection: Connection, organization_id: int, person: Person, page: str
) -> list[SavedView]:
    """List the views that a person has saved of a page, by name."""
    query = sa.select(_KEPT.name, _KEPT.address).where(*_of(organization_id, person, page))
    return [SavedView(*row) for row in connection.execute(query.order_by(_KEPT.name))]


def put(
    connection: Connection, organization_id: int, person: Person, page: str, view: SavedView
) -> None:
    """Keep a view; one of the same name is replaced."""
    address = {name: list(values) for name, values in view.address.items()}
    query = insert(tables.saved_views).values(
        organization_id=organization_id,
        email=person.email,
        page=page,
        name=view.name,
        address=address,
    )
    key = ["organization_id", "email", "page", "name"]
    connection.execute(query.on_conflict_do_update(index_elements=key, set_={"address": address}))


def remove(
    connection: Connection, organization_id: int, person: Person, page: str, name: str
) -> None:
    """Remove a view."""
    query = sa.delete(tables.saved_views).where(*_of(organization_id, person, page))
    connection.execute(query.where(_KEPT.name == name))


def remove_all(connection: Connection, organization_id: int, email: str) -> None:
    """Remove all views of a person, who leaves the organization."""
    query = sa.delete(tables.saved_views)
    mine = _KEPT.organization_id == organization_id, _KEPT.email == email.strip().lower()
    connection.execute(query.where(*mine))


def _of(organization_id: int, person: Person, page: str) -> list[sa.ColumnElement[bool]]:
    return [
        _KEPT.organization_id == organization_id,
        _KEPT.email == person.email,
        _KEPT.page == page,
    ]
