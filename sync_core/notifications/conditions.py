"""Which state of a resource people were told last: they are told again when it changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import NoticeKind, Topic

_KEPT = tables.conditions.c


@dataclass(frozen=True)
class Condition:
    """A state, with its reason: in codes, so that the same reason reads the same."""

    state: NoticeKind
    reason: str = ""
    run_id: int | None = None
    since: datetime | None = None  # of freshness: when the resource was last in step


Conditions = Mapping[Topic, Condition]


def of(connection: Connection, organization_id: int, resource: str) -> Conditions:
    """Read what people were told last of a resource."""
    rows = connection.execute(
        sa.select(_KEPT.topic, _KEPT.state, _KEPT.reason, _KEPT.run_id, _KEPT.since).where(
            _KEPT.organization_id == organization_id, _KEPT.resource == resource
        )
    )
    return {Topic(topic): Condition(NoticeKind(state), *rest) for topic, state, *rest in rows}


def put(
    connection: Connection, organization_id: int, resource: str, topic: Topic, now_: Condition
) -> None:
    """Remember what people are told now."""
    values: dict[str, Any] = {
        "state": now_.state,
        "reason": now_.reason,
        "run_id": now_.run_id,
        "since": now_.since or sa.func.clock_timestamp(),
    }
    connection.execute(
        insert(tables.conditions)
        .values(organization_id=organization_id, resource=resource, topic=topic, **values)
        .on_conflict_do_update(index_elements=["organization_id", "resource", "topic"], set_=values)
    )


def forget(connection: Connection, organization_id: int, resource: str, topic: Topic) -> None:
    """Forget a state that is over without a word."""
    whose = (_KEPT.organization_id == organization_id, _KEPT.resource == resource)
    connection.execute(sa.delete(tables.conditions).where(*whose, _KEPT.topic == topic))
