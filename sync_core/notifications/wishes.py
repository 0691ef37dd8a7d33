"""What each person wishes to be told, of which resources, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import TROUBLE, DigestPace, NoticeKind
from sync_core.organizations.people import Person

_KEPT = tables.wishes.c


@dataclass(frozen=True)
class Wish:
    """What somebody wishes to be told, beside what becomes of the runs that they ask for."""

    kinds: frozenset[NoticeKind] = frozenset()
    resources: frozenset[str] | None = None  # None: all, those to come, too
    by_mail: bool = False  # beside the inbox in the pages
    failed_rows: bool = False  # as a file with the mail
    digest: DigestPace = DigestPace.NEVER

    def covers(self, kind: NoticeKind, resource: str) -> bool:
        """Return whether it is to be told; that it works again is a success, too."""
        wanted = {kind, NoticeKind.SUCCEEDED} if kind == NoticeKind.RECOVERED else {kind}
        return bool(wanted & self.kinds) and (self.resources is None or resource in self.resources)

    def without_mails(self) -> Self:
        """Return the same, in the pages alone."""
        return replace(self, by_mail=False, digest=DigestPace.NEVER)


def usual(person: Person) -> Wish:
    """Return what somebody is told who decided nothing: what concerns their work."""
    if person.may("sync"):
        return Wish(TROUBLE, by_mail=True)
    return Wish(TROUBLE) if person.may("analyze") else Wish()


def everyones(connection: Connection, organization_id: int) -> Mapping[str, Wish]:
    """Return the wishes of those who decided on them, by e-mail address."""
    columns = (_KEPT[name] for name in ("email", *Wish.__dataclass_fields__))
    rows = connection.execute(sa.select(*columns).where(_KEPT.organization_id == organization_id))
    return {
        row.email: Wish(
            _known(row.kinds),
            None if row.resources is None else frozenset(row.resources),
            row.by_mail,
            row.failed_rows,
            DigestPace(row.digest),
        )
        for row in rows
    }


def of_person(connection: Connection, organization_id: int, person: Person) -> Wish:
    """Return what a person wishes, or what is usual."""
    return everyones(connection, organization_id).get(person.email) or usual(person)


def put(connection: Connection, organization_id: int, person: Person, wish: Wish) -> None:
    """Keep what a person wishes; what they wished before is replaced."""
    values = {
        "kinds": sorted(wish.kinds),
        "resources": None if wish.resources is None else sorted(wish.resources),
        "by_mail": wish.by_mail,
        "failed_rows": wish.failed_rows,
        "digest": wish.digest,
    }
    connection.execute(
        insert(tables.wishes)
        .values(organization_id=organization_id, email=person.email, **values)
        .on_conflict_do_update(
            index_elements=["organization_id", "email"],
            set_={**values, "set_at": sa.func.clock_timestamp()},
        )
    )


def _known(stored: list[str]) -> frozenset[NoticeKind]:
    """Return the kinds that this version knows."""
    return frozenset(kind for kind in NoticeKind if kind in stored)
