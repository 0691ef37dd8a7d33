from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from sync_core.foundation.errors import SyncError
from sync_core.runs import filters
from sync_core.runs.filters import Filter

words = st.text(st.characters(exclude_characters=",\0", codec="utf-8"), min_size=1, max_size=30)
many = st.lists(words, max_size=3).map(tuple)
moments = st.datetimes(
    datetime(1901, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2199, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=0))


@given(
    st.builds(
        Filter,
        organizations=st.just((1, 2)),
        since=st.none() | moments,
        until=st.none() | moments,
        resource=many,
        status=many,
        trigger=many,
        person=many,
        team=many,
        error=many,
        search=st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20),
    )
)
def test_an_address_gives_back_the_filter_that_it_was_made_of(wanted: Filter) -> None:
    assert filters.from_address(filters.to_address(wanted), (1, 2)) == wanted


@given(st.dictionaries(st.sampled_from(["since", "until", "status", "search"]), st.text()))
def test_whatever_somebody_types_into_an_address_gives_a_filter(typed: dict[str, str]) -> None:
    assume(not refused(typed))
    assert filters.from_address(typed, (7,)).organizations == (7,)


def refused(typed: Mapping[str, str]) -> bool:
    """Return whether it is more than anybody searches for, which is told in a sentence."""
    try:
        filters.from_address(typed, (7,))
    except SyncError as error:
        return error.code == "search_refused"
    return False


def test_the_period_before_ends_where_the_period_begins() -> None:
    until = datetime(2026, 3, 29, 12, tzinfo=UTC)
    wanted = Filter(organizations=(1,), since=until - timedelta(days=7), until=until)
    before = wanted.earlier()
    assert (before.since, before.until) == (until - timedelta(days=14), wanted.since)
