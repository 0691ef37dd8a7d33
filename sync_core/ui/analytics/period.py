"""What the page is asked for: period, resources, triggers; all of it in the address."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from sync_core.analytics import habits
from sync_core.analytics.definitions import Unit
from sync_core.catalogue import resources
from sync_core.foundation.counting import count
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.runs.filters import Filter
from sync_core.runs.words import origin
from sync_core.ui.analytics import cached
from sync_core.ui.frame import visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal

TODAY, LAST_24_HOURS, LAST_MONTH, CUSTOM = "Today", "24 hours", "Last month", "Custom"
DAYS = {"7 days": 7, "30 days": 30, "90 days": 90}
DEFAULT_PERIOD = "30 days"
LONGEST_BY_HOUR = timedelta(hours=48)  # up to which charts go by hour


@dataclass(frozen=True)
class Asked:
    """What the page is asked for, and the time zone in which it shows times."""

    wanted: Filter  # with a period
    zone: ZoneInfo
    words: str  # "30 days"
    askers: tuple[tuple[Organization, Person], ...] = ()  # the organizations, and who asks there
    triggers: tuple[str, ...] = ()  # of all runs of the period

    @property
    def slugs(self) -> tuple[str, ...]:
        """The short names of the organizations."""
        return tuple(organization.slug for organization, _ in self.askers)

    @property
    def readers(self) -> tuple[Person, ...]:
        """Who asks, as they are known in each of the organizations."""
        return tuple(person for _, person in self.askers)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Return when the period begins and ends."""
        if self.wanted.since is None or self.wanted.until is None:
            raise ValueError("the page always asks for a period")
        return self.wanted.since, self.wanted.until

    @property
    def unit(self) -> Unit:
        """Return what a point of a chart stands for."""
        since, until = self.span
        return "hour" if until - since <= LONGEST_BY_HOUR else "day"

    def time_axis(self) -> list[datetime]:
        """Return the beginnings of all days, or hours, of the period, in local time of the zone.

        Charts are drawn along it, so that where nothing ran there is a gap.
        """
        since, until = self.span
        if self.unit == "hour":
            first = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            hours = math.ceil((until - first) / timedelta(hours=1))
            return [self.local(first + timedelta(hours=n)) for n in range(hours)]
        first_day = since.astimezone(self.zone).date()
        last_day = (until - timedelta(microseconds=1)).astimezone(self.zone).date()
        days = range((last_day - first_day).days + 1)
        return [datetime.combine(first_day + timedelta(days=n), time()) for n in days]

    def there(self, at: datetime) -> datetime:
        """Return a moment in the zone, as tables and files want it."""
        return at.astimezone(self.zone) if at.tzinfo else at.replace(tzinfo=self.zone)

    def local(self, at: datetime) -> datetime:
        """Return what the clocks of the zone show, without the zone, as charts want it."""
        return at.astimezone(self.zone).replace(tzinfo=None)


def ask(here: Visitor) -> Asked:
    """Show the filters; returns what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        chosen = st.segmented_control(
            "Period",
            [TODAY, LAST_24_HOURS, *DAYS, LAST_MONTH, CUSTOM],
            default=DEFAULT_PERIOD,
            required=True,
            key="period",
            bind="query-params",
            label_visibility="collapsed",
        )
        dates = _dates(here) if chosen == CUSTOM else ()
        since, until, words = span_of(str(chosen), dates, here.zone)
        chosen_organizations = _organizations(here)
        ids = tuple(organization.id for organization, _ in chosen_organizations)
        wanted = Filter(organizations=ids, since=since, until=until)
        some = st.pills(
            "Resource",
            list(resources.CATALOGUE),
            selection_mode="multi",
            format_func=title,
            key="resource",
            bind="query-params",
            label_visibility="collapsed",
        )
        triggers = cached.read(habits.triggers, wanted)
        trigger = _trigger(triggers)
    wanted = replace(wanted, resource=tuple(some or ()), trigger=tuple(trigger))
    return Asked(wanted, here.zone, words, chosen_organizations, tuple(triggers))


def _organizations(here: Visitor) -> tuple[tuple[Organization, Person], ...]:
    """Show a choice to who may analyze several organizations; without one it is this one."""
    known, this = visitor.where("analyze"), (here.organization, here.person)
    if len(known) == 1:
        return (this,)
    chosen = st.pills(
        "Organization",
        list(known),
        selection_mode="multi",
        format_func=lambda slug: literal(known[slug][0].name),
        key="organizations",
        bind="query-params",
    )
    return tuple(known[slug] for slug in chosen) or (this,)


def title(resource: str) -> str:
    """Return the name of a resource in a word, as the sidebar shows it."""
    known = resources.CATALOGUE.get(resource)
    return known.title if known else resource


def _trigger(found: Sequence[str]) -> Sequence[str]:
    if len(found) < 2 and "trigger" not in st.query_params:  # noqa: PLR2004 - nothing to choose from
        return ()
    return st.pills(
        "Started from",
        found,
        selection_mode="multi",
        format_func=origin,
        key="trigger",
        bind="query-params",
    )


def _dates(here: Visitor) -> tuple[date, ...]:
    today = datetime.now(here.zone).date()
    found = st.date_input(
        "From, to",
        value=(today - timedelta(days=29), today),
        max_value=today,
        format="YYYY-MM-DD",
        key="dates",
        bind="query-params",
        width=230,
    )
    return found if isinstance(found, tuple) else (found,)


def span_of(
    chosen: str, dates: Sequence[date], zone: ZoneInfo, now: datetime | None = None
) -> tuple[datetime, datetime, str]:
    """Return begin, end and name of the period: whole days of the zone, up to this minute."""
    soon = (now or datetime.now(UTC)).replace(second=0, microsecond=0) + timedelta(minutes=1)
    if chosen == LAST_24_HOURS:
        return soon - timedelta(hours=24), soon, LAST_24_HOURS
    today = soon.astimezone(zone).date()
    if chosen == TODAY:
        return _midnight(today, zone), soon, "day"
    if chosen == LAST_MONTH:
        last = today.replace(day=1) - timedelta(days=1)
        first = last.replace(day=1)
        return _midnight(first, zone), _midnight(last + timedelta(days=1), zone), f"{last.day} days"
    if chosen == CUSTOM and dates:
        first, last = dates[0], dates[-1]
        end = min(_midnight(last + timedelta(days=1), zone), soon)
        return _midnight(first, zone), end, count((last - first).days + 1, "day")
    days = DAYS.get(chosen, DAYS[DEFAULT_PERIOD])
    return _midnight(today - timedelta(days=days - 1), zone), soon, count(days, "day")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
