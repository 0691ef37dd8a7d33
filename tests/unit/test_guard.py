"""Each guard trips at its threshold, and not one row below."""

from dataclasses import replace
from typing import Any

import pytest

from sync_core.catalogue.resources import ENTITIES
from sync_core.engine import guard
from sync_core.engine.guard import Evidence
from sync_core.engine.tally import Tally
from sync_core.foundation.vocabulary import GuardKind, Removal
from sync_core.organizations.policies import Guards, Threshold
from sync_core.runs.figures import Figures
from sync_core.runs.plans import Tripped
from sync_core.runs.sheet_facts import Address

THERAPISTS = replace(ENTITIES["therapists"], removal=Removal.DEACTIVATE)
HERE, THERE = Address("a", "folder /data/a"), Address("b", "folder /data/b")


def evidence(known: int, removal: Removal = Removal.DEACTIVATE, **more: Any) -> Evidence:  # noqa: ANN401 - of Tally and Figures
    tally = {name: more.pop(name) for name in list(more) if name in Tally.__dataclass_fields__}
    figures = {name: more.pop(name) for name in list(more) if name in Figures.__dataclass_fields__}
    read = tally.setdefault("read", max(known, 1))
    return Evidence(
        entity=replace(THERAPISTS, removal=removal),
        sheet="Staff",
        tally=Tally(**tally),
        figures=Figures(known=known, read=read, **figures),
        **more,
    )


def tripped(found: Evidence, guards: Guards | None = None) -> list[str]:
    return [one.guard for one in guard.tripped(found, guards or Guards())]


@pytest.mark.parametrize(
    ("kind", "below", "above"),
    [
        # by rows
        ("removals", evidence(50, removed=10), evidence(50, removed=11)),
        ("creations", evidence(150, created=100), evidence(150, created=101)),
        ("failures", evidence(40, failed=10), evidence(40, failed=11)),
        ("updates", evidence(150, updated=100), evidence(150, updated=101)),
        ("fewer_rows", evidence(9, read_before=19, read=9), evidence(8, read_before=19, read=8)),
        # by share
        ("removals", evidence(200, removed=20), evidence(200, removed=21)),
        ("creations", evidence(400, created=200), evidence(400, created=201)),
        ("failures", evidence(200, failed=40), evidence(200, failed=41)),
        ("updates", evidence(400, updated=200), evidence(400, updated=201)),
        (
            "fewer_rows",
            evidence(400, read_before=400, read=200),
            evidence(400, read_before=400, read=199),
        ),
        # of records that are kept: those that went since the last sync
        (
            "removals",
            evidence(200, Removal.KEEP, absent=20),
            evidence(200, Removal.KEEP, absent=21),
        ),
        (
            "removals",
            evidence(200, Removal.KEEP, absent=60, absent_before=40),
            evidence(200, Removal.KEEP, absent=61, absent_before=40),
        ),
        # of a column
        (
            "blank_column",
            evidence(200, blanked={"Phone": 60}, filled={"Phone": 120}),
            evidence(200, blanked={"Phone": 61}, filled={"Phone": 120}),
        ),
        (
            "blank_column",
            evidence(200, blanked={"Phone": 99}, filled={"Phone": 100}),
            evidence(200, blanked={"Phone": 99}, filled={"Phone": 101}),
        ),
        (
            "blank_column",
            evidence(12, blanked={"Phone": 10}, filled={"Phone": 12}),
            evidence(12, blanked={"Phone": 11}, filled={"Phone": 12}),
        ),
        # of keys
        (
            "new_keys",
            evidence(100, new=90, absent=91, read=100),
            evidence(100, new=91, absent=91, read=100),
        ),
        (
            "new_keys",
            evidence(100, new=91, absent=90, read=100),
            evidence(100, new=91, absent=91, read=100),
        ),
        # without numbers
        ("empty_source", evidence(5, read=1), evidence(5, read=0)),
        (
            "other_source",
            evidence(5, address=HERE),
            evidence(5, address=HERE, address_before=THERE),
        ),
    ],
)
def test_a_guard_trips_above_its_threshold_and_not_at_it(
    kind: str, below: Evidence, above: Evidence
) -> None:
    assert tripped(below) == []
    assert tripped(above) == [kind]


@pytest.mark.parametrize(
    "found",
    [
        evidence(0, created=5_000, read=5_000, new=5_000),
        evidence(0, read=0, read_before=800),
        evidence(0, address=HERE, address_before=THERE),
    ],
)
def test_the_first_load_of_an_empty_table_is_guarded_by_failures_alone(found: Evidence) -> None:
    assert tripped(found) == []
    failed = replace(found, tally=Tally(read=50, failed=11))
    assert tripped(failed) == ["failures"]


def test_where_only_what_changed_was_read_few_rows_are_no_sign() -> None:
    found = evidence(4_000, read=0, read_before=4_000, partial=True)
    assert tripped(found) == []


@pytest.mark.parametrize("kind", GuardKind)
def test_each_guard_can_be_switched_off(kind: GuardKind) -> None:
    everything = evidence(
        200,
        read=0,
        removed=200,
        created=300,
        failed=50,
        updated=200,
        read_before=300,
        blanked={"Phone": 200},
        filled={"Phone": 200},
        absent=200,
        new=300,
        address=HERE,
        address_before=THERE,
    )
    assert tripped(everything) == list(GuardKind)
    off: Any = {kind: False if isinstance(getattr(Guards(), kind), bool) else None}
    left = [one for one in GuardKind if one != kind]
    assert tripped(everything, replace(Guards(), **off)) == left


def test_another_threshold_counts() -> None:
    guards = Guards(removals=Threshold(2, 50))
    assert tripped(evidence(4, removed=2), guards) == []
    assert tripped(evidence(4, removed=3), guards) == ["removals"]


@pytest.mark.parametrize(
    ("removal", "becomes"),
    [
        (Removal.DEACTIVATE, "would be deactivated"),
        (Removal.DELETE, "would be deleted"),
        (Removal.KEEP, "are not in the source any more"),
    ],
)
def test_a_guard_tells_what_it_found_its_threshold_and_what_is_usual(
    removal: Removal, becomes: str
) -> None:
    found = evidence(1_550, removal, removed=412, absent=412, usual={"removed": 3})
    assert guard.tripped(found, Guards()) == [
        Tripped(
            guard="removals",
            entity="therapists",
            sentence=f"412 of 1,550 therapists {becomes}",
            rows=412,
            of=1_550,
            more_than_rows=10,
            more_than_percent=10,
            usual=None if removal == Removal.KEEP else 3,
        )
    ]


def test_thresholds_are_kept_as_json_and_a_guard_of_a_later_version_is_as_by_default() -> None:
    chosen = Guards(removals=Threshold(5, 1), updates=None, other_source=False)
    assert Guards.from_json(chosen.as_json()) == chosen
    assert Guards.from_json({"weather": True}) == Guards()
    assert list(chosen.differences()) == [
        "removals above 5 rows and 1%",
        "updates off",
        "other source off",
    ]
