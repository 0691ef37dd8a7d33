"""What may be counted of a single resource beyond its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.engine.work import Analysis


@dataclass(frozen=True)
class Figure:
    """A number on the page of a resource, and what it means."""

    title: str
    number: int
    meaning: str
    group: str = ""  # whose records it counts; "": all


@dataclass(frozen=True)
class ResourceFigures:
    """The figures of an organization's resource at a moment."""

    figures: Sequence[Figure]
    at: datetime
    note: str = ""  # a sentence about all of them


@dataclass(frozen=True)
class Group:
    """Some of a resource's main records: a query of their keys, in an organization as it is now.

    Who is in a `personal` one tells what not everybody may see.
    """

    keys: Callable[[int], sa.TextualSelect]
    personal: bool = True


@dataclass(frozen=True)
class ResourceAnalysis:
    """Counts one figure in each run, as it will be after it, and all figures for the page."""

    during_run: Analysis
    for_page: Callable[[Connection, int], ResourceFigures | None]  # None: there is nothing yet
    groups: Mapping[str, Group] = field(default_factory=dict)
