"""What requests may say: their bodies, and what they narrow a list by."""

import re
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from sync_core.api.sample import RESOURCE
from sync_core.foundation.vocabulary import OutcomeKind, RunStatus
from sync_core.runs.run_number import LARGEST

MOST = 500  # rows of a page


def _plain_number(text: object) -> object:
    """Let a number through as we write it: no `1_0`, `+1`, `1.0`, ` 1`, no digits of elsewhere."""
    if isinstance(text, str) and not re.fullmatch("0|-?[1-9][0-9]{0,18}", text):
        raise ValueError("it is no whole number in plain digits")
    return text


def _plain_moment(text: object) -> object:
    """Let a moment through that is written as one: a number may be of seconds, or of less."""
    if isinstance(text, str) and not re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("it is no moment as 2026-11-01T00:00:00Z")
    return text


Whole = Annotated[int, BeforeValidator(_plain_number)]  # each number of a request is one
Moment = Annotated[AwareDatetime, BeforeValidator(_plain_moment)]
Limit = Annotated[Whole, Field(ge=1, le=MOST, description="rows of a page")]
Offset = Annotated[Whole, Field(ge=0, le=10_000_000, description="rows before the page")]
Search = Annotated[str, Field(max_length=200, description="words, all of which must occur")]
Slug = Annotated[str, Field(max_length=100, description="short name of an organization")]
Number = Annotated[
    Whole,
    Path(ge=1, le=LARGEST, description="number of the run", examples=[1042]),
]
Whose = Annotated[str | None, Query(max_length=100, description="short name of the organization")]


class Ask(BaseModel):
    """What is asked for: a sync, or a preview, of a resource."""

    model_config = ConfigDict(extra="forbid")

    resource: str = Field(max_length=100, examples=[RESOURCE])
    organization: str | None = Field(
        None,
        max_length=100,
        description="short name; may be left out by who belongs to one organization, as a token",
        examples=["demo"],
    )
    kind: Literal["sync", "preview"] = Field(
        "sync", description="a preview stops after its plan, and waits for a decision"
    )


class AskedSchedule(BaseModel):
    """When a resource is to be synced automatically, in the time zone of its organization."""

    model_config = ConfigDict(extra="forbid")

    schedule: str = Field(
        max_length=200,
        description="in words, or a cron expression of five fields",
        examples=["every weekday at 06:30", "every 2 hours from 7 to 19", "30 6 * * 1-5"],
    )


class RunQuery(BaseModel):
    """Which runs are asked for; what is left out asks for nothing."""

    model_config = ConfigDict(extra="forbid")

    organization: list[Slug] | None = None
    resource: list[str] | None = None
    status: list[RunStatus] | None = None
    trigger: list[str] | None = None
    person: list[str] | None = Field(None, description="e-mail addresses of who requested them")
    team: list[str] | None = None
    error: list[str] | None = Field(None, description="codes")
    since: Moment | None = Field(None, description="requested then or later")
    until: Moment | None = Field(None, description="requested before")
    search: Search = ""
    cursor: Whole | None = Field(None, ge=1, le=LARGEST, description="`next` of the page before")
    limit: Limit = 50

    def filters(self) -> dict[str, Any]:
        """Return what a filter of runs is made of."""
        many = {
            name: tuple(getattr(self, name) or ())
            for name in ("resource", "status", "trigger", "person", "team", "error")
        }
        return {**many, "since": self.since, "until": self.until, "search": self.search}


class PageQuery(BaseModel):
    """Which rows of a table are asked for."""

    model_config = ConfigDict(extra="forbid")

    organization: Slug | None = None
    search: Search = ""
    limit: Limit = 50
    offset: Offset = 0


class OutcomeQuery(PageQuery):
    """Which outcomes of a run are asked for."""

    kind: list[OutcomeKind] | None = None
    entity: str | None = Field(None, max_length=100, description="name of a table")
    reason: str | None = Field(None, max_length=100, description="code of an issue, or a rule")
