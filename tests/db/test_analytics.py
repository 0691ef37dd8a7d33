"""Every figure beside that of a slow oracle, on random histories around changes of the clocks."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from sync_core.analytics import freshness, habits, key_figures, over_time, reasons
from sync_core.audit import exports
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.organizations.people import Person
from sync_core.runs import filters
from sync_core.runs.filters import Filter
from tests.support import analytics_oracle as oracle
from tests.support import histories
from tests.support.histories import FIRST, LAST, History, Past
from tests.support.sources import refusal

SEEDS = range(3)
FILTERS = range(8)  # the first is wide open
ZONES = tuple(
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Adelaide", "UTC")
)
T = TypeVar("T")
MANAGER = Person("Michael Tan", "michael.tan@example.org", Role.MANAGER, "Marketing")


@pytest.fixture(scope="module", params=SEEDS)
def history(request: pytest.FixtureRequest, servers: object) -> History:
    assert servers
    return histories.make(request.param)


@pytest.fixture(params=FILTERS)
def wanted(request: pytest.FixtureRequest, history: History) -> Filter:
    """Return a filter with a period; some have an organization, a resource or a trigger, too."""
    ours = tuple(found.id for found in history.organizations)
    if request.param == 0:
        return Filter(organizations=ours, since=FIRST, until=LAST)
    chance = Random(request.param)  # noqa: S311 - made-up data
    since = FIRST + timedelta(hours=chance.randrange(24 * 20))
    return Filter(
        organizations=chance.choice((ours, ours[:1], ours[1:])),
        since=since,
        until=since + timedelta(hours=chance.randrange(24, 24 * 20)),
        resource=tuple(chance.sample(histories.RESOURCES, chance.randrange(3))),
        trigger=tuple(chance.sample(histories.TRIGGERS, chance.randrange(3))),
    )


@pytest.fixture
def runs(history: History, wanted: Filter) -> list[Past]:
    return oracle.wanted_runs(history, wanted)


def ask(question: Callable[..., T], *arguments: object) -> T:
    with db.everywhere() as connection:
        return question(connection, *arguments)


def near(value: float | None) -> object:
    return None if value is None else pytest.approx(value, abs=1e-6)


def test_the_key_figures_of_runs(wanted: Filter, runs: list[Past]) -> None:
    found = ask(key_figures.of_runs, wanted)
    assert found.runs == len(runs)
    assert found.judged == sum(run.status in oracle.JUDGED for run in runs)
    assert found.completed == sum(run.status == "completed" for run in runs)
    assert found.median == near(oracle.quantile(oracle.timed(runs), 0.5))
    assert found.p95 == near(oracle.quantile(oracle.timed(runs), 0.95))
    assert found.success == near(found.completed / found.judged if found.judged else None)


def test_the_key_figures_of_rows(wanted: Filter, runs: list[Past]) -> None:
    found = ask(key_figures.of_rows, wanted)
    counts = [counted for run in runs for counted in run.counts.values()]

    def total(*kinds: str) -> int:
        return sum(counted[kind] for counted in counts for kind in kinds)

    assert found.runs == sum(run.status in histories.IN_STEP for run in runs)
    assert found.in_step == total("created", "updated", "unchanged")
    assert found.failed == total("failed")
    assert found.applied == total("created", "updated", "removed")


def test_the_time_to_recover(history: History, wanted: Filter, runs: list[Past]) -> None:
    found = ask(key_figures.of_recovery, wanted)
    took = oracle.recovery(history, runs)
    mended = [seconds for seconds in took if seconds is not None]
    assert (found.failures, found.recovered) == (len(took), len(mended))
    assert found.median == near(oracle.quantile(mended, 0.5))


@pytest.mark.parametrize("unit", ["day", "hour"])
@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_the_figures_over_time(wanted: Filter, runs: list[Past], zone: ZoneInfo, unit: str) -> None:
    begins = {run.id: oracle.begin_of(run.queued_at, zone, unit) for run in runs}
    assert {
        (row.at, row.resource, row.kind, row.status): row.runs
        for row in ask(over_time.ended, wanted, zone, unit)
    } == Counter((begins[run.id], run.resource, run.kind, run.status) for run in runs)
    completed = [run for run in runs if run.status == "completed"]
    groups = oracle.grouped(completed, lambda run: (begins[run.id], run.resource))
    assert {
        (row.at, row.resource): (row.runs, row.median, row.p95)
        for row in ask(over_time.took, wanted, zone, unit)
    } == {where: _timed(some) for where, some in groups.items()}
    assert {
        row.at: (row.runs, row.wait_median, row.wait_p95, row.run_median)
        for row in ask(over_time.waited, wanted, zone, unit)
    } == {
        at: _waited(some)
        for at, some in oracle.grouped(
            (run for run in runs if run.started_at), lambda run: begins[run.id]
        ).items()
    }


def _timed(runs: Sequence[Past]) -> tuple[object, ...]:
    took = oracle.timed(runs)
    return (len(runs), near(oracle.quantile(took, 0.5)), near(oracle.quantile(took, 0.95)))


def _waited(runs: Sequence[Past]) -> tuple[object, ...]:
    waits = [(run.started_at - run.queued_at).total_seconds() for run in runs if run.started_at]
    quantiles = (near(oracle.quantile(waits, part)) for part in (0.5, 0.95))
    return (len(runs), *quantiles, near(oracle.quantile(oracle.timed(runs), 0.5)))


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_what_was_done_to_rows_and_what_changed(
    history: History, wanted: Filter, runs: list[Past], zone: ZoneInfo
) -> None:
    good = [run for run in runs if run.counts]
    days = oracle.grouped(good, lambda run: oracle.begin_of(run.queued_at, zone, "day"))
    assert {
        row.at: (row.runs, *(getattr(row, kind) for kind in histories.KINDS))
        for row in ask(over_time.handled, wanted, zone, "day")
    } == {
        day: (
            len(some),
            *(
                sum(counts[kind] for run in some for counts in run.counts.values())
                for kind in histories.KINDS
            ),
        )
        for day, some in days.items()
    }
    marks = ask(over_time.marks, wanted, zone, "day")
    assert [mark.at for mark in marks] == sorted(mark.at for mark in marks)
    told = {(mark.at, mark.resource, mark.what) for mark in marks}
    assert told == oracle.marks(history, runs, wanted, zone)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_the_hours_of_the_week(wanted: Filter, runs: list[Past], zone: ZoneInfo) -> None:
    def place(run: Past) -> tuple[int, int]:
        local = run.queued_at.astimezone(zone)
        return local.isoweekday(), local.hour

    assert {
        (row.weekday, row.hour): (row.runs, row.failures, row.p95, row.wait)
        for row in ask(habits.hours, wanted, zone)
    } == {where: _of_hour(some) for where, some in oracle.grouped(runs, place).items()}


def _of_hour(runs: Sequence[Past]) -> tuple[object, ...]:
    waits = [(run.started_at - run.queued_at).total_seconds() for run in runs if run.started_at]
    return (
        len(runs),
        sum(run.status in {"failed", "timed_out"} for run in runs),
        near(oracle.quantile(oracle.timed(runs), 0.95)),
        near(oracle.quantile(waits, 0.5)),
    )


def test_the_resources_beside_each_other(wanted: Filter, runs: list[Past]) -> None:
    groups = oracle.grouped(runs, lambda run: run.resource)
    found = {row.resource: row for row in ask(habits.of_resources, wanted)}
    assert set(found) == set(groups)
    for resource, some in groups.items():
        row, took = found[resource], oracle.timed(some)
        assert row.runs == len(some)
        assert row.judged == sum(run.status in oracle.JUDGED for run in some)
        assert row.completed == len(took)
        assert row.mean == near(sum(took) / len(took) if took else None)
        assert row.median == near(oracle.quantile(took, 0.5))
        assert row.p95 == near(oracle.quantile(took, 0.95))


def test_who_asked_for_what(wanted: Filter, runs: list[Past]) -> None:
    groups = oracle.grouped(runs, lambda run: (*run.person, run.resource))
    found = ask(habits.done, wanted)
    assert {
        (row.name, row.email, row.team, row.resource): (
            row.runs,
            row.judged,
            row.completed,
            row.last,
        )
        for row in found
    } == {
        who: (
            len(some),
            sum(run.status in oracle.JUDGED for run in some),
            sum(run.status == "completed" for run in some),
            max(run.queued_at for run in some),
        )
        for who, some in groups.items()
    }
    assert [row.runs for row in found] == sorted((row.runs for row in found), reverse=True)


def test_where_the_time_goes(wanted: Filter, runs: list[Past]) -> None:
    completed = [run for run in runs if run.status == "completed"]
    for row in ask(habits.phases, wanted):
        some = [run for run in completed if run.resource == row.resource]
        mean = sum(run.phases.get(row.phase, 0) for run in some) / len(some)
        assert (row.mean, row.runs) == (near(mean), len(some))


def test_durations_stand_against_the_rows_that_were_read(wanted: Filter, runs: list[Past]) -> None:
    assert [(row.run_id, row.rows, row.seconds) for row in ask(habits.points, wanted)] == [
        (run.id, _read(run), near(run.seconds))
        for run in sorted(runs, key=lambda run: (run.queued_at, run.id), reverse=True)
        if run.status == "completed"
    ]


def _read(run: Past) -> int:
    return sum(
        count
        for counts in run.counts.values()
        for kind, count in counts.items()
        if kind != "removed"
    )


@pytest.mark.parametrize("limit", [3, 30])
def test_the_last_runs_of_each_resource(wanted: Filter, runs: list[Past], limit: int) -> None:
    found = ask(habits.last, wanted, histories.RESOURCES, limit)
    newest = ask(habits.newest, wanted, limit)
    for resource in histories.RESOURCES:
        some = [run.id for run in runs if run.resource == resource]
        assert [run.id for run in found[resource]] == some[-limit:]
    assert [run.id for run in newest] == [run.id for run in runs][-limit:][::-1]


def test_what_started_the_runs_of_the_period(history: History, wanted: Filter) -> None:
    everything = replace(wanted, resource=(), trigger=())
    runs = oracle.wanted_runs(history, everything)
    assert ask(habits.triggers, wanted) == sorted({run.origin for run in runs})
    assert not ask(habits.has_made_up, wanted)


def test_why_runs_failed(wanted: Filter, runs: list[Past]) -> None:
    counted = Counter(run.error for run in runs if run.error)
    found = ask(reasons.of_runs, wanted)
    assert {row.code: row.count for row in found} == counted
    assert [row.count for row in found] == sorted(counted.values(), reverse=True)


def test_why_rows_failed_down_to_the_rows_and_their_file(
    history: History, wanted: Filter, runs: list[Past]
) -> None:
    found = ask(reasons.of_rows, wanted)
    assert {row.code: (row.count, row.runs) for row in found} == oracle.reasons_of_rows(runs)
    for reason in found:
        rows = oracle.rows_of(runs, reason.code)
        assert len(rows) == reason.count
        for offset in (0, 1, 7, len(rows) - 1, len(rows)):
            window = ask(reasons.rows, wanted, reason.code, [MANAGER], 5, offset)
            told = [(row.run_id, row.entity, row.row_number) for row in window]
            assert told == rows[offset : offset + 5]
        written = _file(history, wanted, reason.code)
        assert [int(row["Run"]) for row in written] == [row[0] for row in rows]


def _file(history: History, wanted: Filter, code: str) -> list[dict[str, str]]:
    askers = [(found, MANAGER) for found in history.organizations]
    text = b"".join(exports.write(reasons.file(askers, wanted, code))).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_which_rows_fail_again_and_again_and_which_still_do(
    history: History, wanted: Filter, runs: list[Past]
) -> None:
    found = ask(reasons.offenders, wanted, [MANAGER])
    expected, now = oracle.offenders(runs), oracle.failing_now(history)
    assert Counter((row.entity, row.runs, row.still) for row in found) == Counter(
        (who[1], count, who in now) for who, count in expected.items()
    )
    assert [row.still for row in found] == sorted((row.still for row in found), reverse=True)
    assert {row.of for row in found} <= {len(expected)}
    assert all(row.since <= row.until and row.sentence.startswith("It is ") for row in found)


def test_how_much_of_the_time_data_were_fresh(history: History, wanted: Filter) -> None:
    now = LAST - timedelta(days=2)
    found = {row.resource: row for row in ask(freshness.kept, wanted, now)}
    expected = oracle.kept_fresh(history, wanted, now)
    for resource, (known, fresh) in expected.items():
        ends = sum(run.resource == resource and bool(run.counts) for run in history.runs)
        spans = 60 * (2 + ends)  # the oracle sees whole minutes only
        assert found[resource].known == pytest.approx(60 * known, abs=spans)
        assert found[resource].fresh == pytest.approx(60 * fresh, abs=spans)
    assert {name for name, row in found.items() if row.known > 60} <= set(expected)


def test_a_day_of_25_hours_is_one_day(history: History) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    ours = tuple(found.id for found in history.organizations)
    since = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight of the 25th, in summer time
    wanted = Filter(organizations=ours, since=since, until=since + timedelta(hours=25))
    days = {row.at for row in ask(over_time.ended, wanted, berlin, "day")}
    assert days <= {since}
    assert ask(key_figures.of_runs, wanted).runs == len(oracle.wanted_runs(history, wanted))


def test_list_key_figures_charts_and_reasons_agree_on_any_filter(history: History) -> None:
    chance = Random(len(history.runs))  # noqa: S311 - made-up data
    for _ in range(25):
        wanted = _any_filter(history, chance)
        listed = ask(_count, wanted)
        assert listed == len(oracle.wanted_runs(history, wanted))
        assert ask(key_figures.of_runs, wanted).runs == listed
        assert sum(row.runs for row in ask(habits.done, wanted)) == listed
        days = ask(over_time.ended, wanted, ZONES[0], "day")
        assert sum(row.runs for row in days) == listed
        assert sum(row.runs for row in ask(habits.hours, wanted, ZONES[0])) == listed
        failed = ask(key_figures.of_recovery, wanted).failures
        assert sum(row.count for row in ask(reasons.of_runs, wanted)) == failed


def _count(connection: Connection, wanted: Filter) -> int:
    return len(habits.newest(connection, wanted, 10_000))


def _any_filter(history: History, chance: Random) -> Filter:
    since = FIRST + timedelta(hours=chance.randrange(24 * 30))

    def some(values: Sequence[str]) -> tuple[str, ...]:
        return tuple(chance.sample(values, chance.choice((0, 0, 1, 2))))

    return Filter(
        organizations=tuple(found.id for found in history.organizations)[: chance.randrange(1, 3)],
        since=chance.choice((None, since)),
        until=chance.choice((None, since + timedelta(days=9))),
        resource=some(histories.RESOURCES),
        status=some(sorted(set(histories.ENDED))),
        trigger=some(histories.TRIGGERS),
        person=some([email for _, email, _ in histories.PEOPLE]),
        team=some(["North", "South"]),
        error=some(histories.ERRORS),
        search=chance.choice(("", "ann", "locations failed")),
    )


def test_the_list_behind_a_key_figure_holds_as_many_runs_as_it_is_made_of(
    wanted: Filter,
) -> None:
    now, rows = ask(key_figures.of_runs, wanted), ask(key_figures.of_rows, wanted)
    expected = {
        "runs": now.runs,
        "run_success": now.judged,
        "row_success": rows.runs,
        "median": now.completed,
        "p95": now.completed,
        "applied": rows.runs,
        "failures": ask(key_figures.of_recovery, wanted).failures,
        "recovery": ask(key_figures.of_recovery, wanted).failures,
    }
    assert {
        key: ask(_count, _with_status(wanted, statuses))
        for key, statuses in key_figures.LIST_BEHIND.items()
    } == expected


def _with_status(wanted: Filter, statuses: tuple[str, ...]) -> Filter:
    address = filters.to_address(wanted) | {"status": ",".join(statuses)}
    return filters.from_address(address, wanted.organizations)


def test_who_may_not_export_gets_no_file(history: History) -> None:
    wanted = Filter(organizations=(history.organizations[0].id,))
    analyst = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations")
    askers = [(history.organizations[0], analyst)]
    assert refusal(lambda: reasons.file(askers, wanted, "bad_phone")).code == "no_permission"
    asked = refusal(lambda: exports.figures(askers, wanted, "Phases", ["Phase"], [["saving"]]))
    assert asked.code == "no_permission"
