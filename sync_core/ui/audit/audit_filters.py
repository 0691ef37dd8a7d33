"""The filters of the audit page: kept in the address, so that a view can be sent to somebody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from sync_core.audit import trail
from sync_core.audit.in_words import LABELS, value_in_words
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import ORIGINS, ActionKind, RunStatus
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.runs import filters
from sync_core.runs.filters import Filter
from sync_core.ui.frame.visitor import Visitor

Askers = Mapping[str, tuple[Organization, Person]]  # by the organization's slug: who may audit

DAYS, ORGANIZATIONS = "days", "organizations"  # in the address, beside the parts of the filter
PERIODS = {"": "Any time", "1": "24 hours", "7": "7 days", "30": "30 days", "90": "90 days"}
OWN_PERIOD = "own"
ADDRESS_NAMES = ("since", "until", "search", DAYS, ORGANIZATIONS, *filters.MANY)
WRITTEN = "audit-address"  # session key: the address as the widgets have written it


@dataclass(frozen=True)
class Asked:
    """What the page shows: the filter, and of which organizations."""

    wanted: Filter
    askers: Askers

    @property
    def address(self) -> dict[str, str]:
        """Return the parameters of the file's address: exactly what the list shows."""
        return {
            ORGANIZATIONS: filters.SEPARATOR.join(self.askers),
            **filters.to_address(self.wanted),
        }


def show(here: Visitor, everywhere: Askers) -> Asked:
    """Show the filters; returns what they ask for, and keeps it in the address."""
    _take_from_address(here, everywhere)
    with st.container(horizontal=True, vertical_alignment="center", key="audit-tools"):
        search = st.text_input(
            "Search",
            type="search",
            live=True,
            placeholder="Search people, messages, records",
            icon=":material/search:",
            key="audit-search",
            label_visibility="collapsed",
            width=320,
        )
        days = st.selectbox(
            "Period",
            [*PERIODS, OWN_PERIOD],
            format_func=lambda days: {**PERIODS, OWN_PERIOD: "Custom"}[days],
            key="audit-days",
            label_visibility="collapsed",
            icon=":material/calendar_month:",
            width=170,
        )
        if days == OWN_PERIOD:
            _own_period(here)
        many, slugs_chosen = _more(everywhere)
        _clear_button()
    since, until = _period(days, here)
    askers = {slug: everywhere[slug] for slug in slugs_chosen or _usual(here, everywhere)}
    wanted = Filter(
        organizations=tuple(organization.id for organization, _ in askers.values()),
        since=since,
        until=until,
        search=search or "",
        **many,
    )
    _keep_in_address(wanted, days, slugs_chosen)
    return Asked(wanted, askers)


def _usual(here: Visitor, everywhere: Askers) -> list[str]:
    mine = here.organization.slug
    return [mine] if mine in everywhere else list(everywhere)


def _take_from_address(here: Visitor, everywhere: Askers) -> None:
    """Set the widgets by the address where somebody came with one, or went back to one."""
    address = {name: st.query_params[name] for name in ADDRESS_NAMES if name in st.query_params}
    if st.session_state.get(WRITTEN) == address and "audit-search" in st.session_state:
        return
    wanted = filters.from_address(address, ())
    for name in filters.MANY:
        st.session_state[f"audit-{name}"] = list(getattr(wanted, name))
    st.session_state["audit-search"] = wanted.search
    asked = address.get(DAYS, "")
    own = wanted.since is not None or wanted.until is not None
    st.session_state["audit-days"] = OWN_PERIOD if own else asked if asked in PERIODS else ""
    st.session_state["audit-dates"] = _dates(wanted, here)
    st.session_state["audit-exact"] = (wanted.since, wanted.until)
    slugs = address.get(ORGANIZATIONS, "").split(filters.SEPARATOR)
    st.session_state["audit-organizations"] = [slug for slug in slugs if slug in everywhere]
    st.session_state[WRITTEN] = address


def _keep_in_address(wanted: Filter, days: str, slugs_chosen: Sequence[str]) -> None:
    address = filters.to_address(wanted)
    if days != OWN_PERIOD:
        address = {name: text for name, text in address.items() if name not in {"since", "until"}}
    address |= {DAYS: days} if days in PERIODS and days else {}
    address |= {ORGANIZATIONS: filters.SEPARATOR.join(slugs_chosen)} if slugs_chosen else {}
    for name in ADDRESS_NAMES:
        if name in address:
            st.query_params[name] = address[name]
        elif name in st.query_params:
            del st.query_params[name]
    st.session_state[WRITTEN] = address


# The period


def _dates(wanted: Filter, here: Visitor) -> tuple[date, ...]:
    today = datetime.now(here.zone).date()
    first = wanted.since.astimezone(here.zone).date() if wanted.since else today
    end = (wanted.until or datetime.now(UTC)) - timedelta(microseconds=1)
    return first, max(first, end.astimezone(here.zone).date())


def _own_period(here: Visitor) -> None:
    st.date_input(
        "From and to",
        key="audit-dates",
        label_visibility="collapsed",
        width=230,
        on_change=_whole_days,
        args=(here,),
    )


def _whole_days(here: Visitor) -> None:
    """Take the days that somebody chose: from midnight to midnight, where they are."""
    chosen = st.session_state["audit-dates"]
    if len(chosen) == 2:  # noqa: PLR2004 - with one, the other is still to be chosen
        midnights = (datetime.combine(day, time(), here.zone) for day in chosen)
        since, last = midnights
        st.session_state["audit-exact"] = (since, last + timedelta(days=1))


def _period(days: str, here: Visitor) -> tuple[datetime | None, datetime | None]:
    if days == OWN_PERIOD:
        since, until = st.session_state["audit-exact"]
        if since is None and until is None:
            since = datetime.combine(datetime.now(here.zone).date(), time(), here.zone)
        return since, until
    return datetime.now(UTC) - timedelta(days=int(days)) if days else None, None


# More filters


def _more(everywhere: Askers) -> tuple[dict[str, Any], list[str]]:
    """Show the filters of which several values may be chosen."""
    chosen = sum(bool(st.session_state[f"audit-{name}"]) for name in filters.MANY)
    chosen += bool(st.session_state["audit-organizations"])
    label = f"Filters ({chosen})" if chosen else "Filters"
    ids = tuple(sorted(organization.id for organization, _ in everywhere.values()))
    offered = _offered(ids)
    with st.popover(label, icon=":material/filter_list:", width="content"):
        many = {name: tuple(_several(name, offered[name])) for name in LABELS}
        slugs_chosen = _organizations(everywhere) if len(everywhere) > 1 else []
    return many, slugs_chosen


def _several(name: str, offered: Sequence[str]) -> list[str]:
    key = f"audit-{name}"
    options = sorted({*offered, *st.session_state[key]})
    return st.multiselect(
        LABELS[name],
        options,
        format_func=lambda value: value_in_words(name, value),
        key=key,
        placeholder="Any",
    )


def _organizations(everywhere: Askers) -> list[str]:
    names = {slug: organization.name for slug, (organization, _) in everywhere.items()}
    return st.multiselect(
        "Organization",
        list(names),
        format_func=names.__getitem__,
        key="audit-organizations",
        placeholder="The one that is chosen in the sidebar",
    )


@st.cache_resource(ttl=60, max_entries=100, show_spinner=False)
def _offered(organization_ids: tuple[int, ...]) -> Mapping[str, Sequence[str]]:
    """Return what there is to choose from, by filter: what occurs, and what may."""
    with db.within(*organization_ids) as connection:
        found = trail.choices(connection, organization_ids)
    known: Mapping[str, Iterable[str]] = {
        "resource": set(resources.CATALOGUE),
        "status": list(RunStatus),
        "action": list(ActionKind),
        "trigger": ORIGINS,
    }
    return {name: sorted({*found.get(name, ()), *known.get(name, ())}) for name in LABELS}


def _clear_button() -> None:
    if any(name in st.query_params for name in ADDRESS_NAMES):
        st.button("Clear", icon=":material/filter_list_off:", type="tertiary", on_click=clear)


def clear() -> None:
    """Ask for all entries again."""
    for name in ADDRESS_NAMES:
        if name in st.query_params:
            del st.query_params[name]
    st.session_state.pop(WRITTEN, None)
