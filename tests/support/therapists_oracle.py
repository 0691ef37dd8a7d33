"""What a sync of therapists and schedules must do, in slow and obvious Python.

It knows the few spellings that the property test makes up, not how fields read cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Cells = Mapping[str, str]
Key = tuple[str, ...]
Record = dict[str, Any]

THERAPIST_LABELS = (
    "Therapist ID",
    "Name",
    "Email",
    "Phone",
    "Employment type",
    "Location",
    "Hourly rate",
    "Start date",
    "Active",
)
SCHEDULE_LABELS = ("Therapist ID", "Weekday", "Start", "End", "Location")

# Every spelling of the test, with what it means; None is wrong.
READ: dict[str, dict[str, Any]] = {
    "Email": {
        "a@example.org": "a@example.org",
        "B@Example.org": "b@example.org",
        "c@example.org": "c@example.org",
        "nobody": None,
    },
    "Phone": {"+61 8 9123 4567": "+61891234567", "08 9123 4567": "+61891234567", "call me": None},
    "Employment type": {
        "Full time": "Full time",
        "part-time": "Part time",
        "flat": "FLAT",
        "volunteer": None,
    },
    "Hourly rate": {
        "95.5": "95.50",
        "$1,250.00": "1250.00",
        "1.250": "1.25",
        "1,250": "1250.00",
        "1.234": None,
        "much": None,
    },
    "Start date": {
        "2024-02-29": "2024-02-29",
        "03/04/2026": None,
        "12/25/2026": None,
        "#REF!": None,
    },
    "Active": {"yes": True, "FALSE": False, "✓": True, "perhaps": None},
    "Weekday": {"Monday": "Monday", "tue": "Tuesday", "Funday": None},
    "Start": {"9:00": "09:00:00", "1 pm": "13:00:00", "25:00": None},
    "End": {"17:00": "17:00:00", "9:00": "09:00:00", "noonish": None},
}
IN_AUSTRALIA = {"Start date": {**READ["Start date"], "03/04/2026": "2026-04-03"}}
# Spellings that show how people write, and those that mean something else if they write so.
SIGNS = {"Hourly rate": {"1.234"}, "Start date": {"12/25/2026"}}
DOUBTFUL = {"Hourly rate": {"1.250", "1,250"}, "Start date": {"03/04/2026"}}
DEFAULTS = {"Employment type", "Active"}  # a row of nothing else is blank
ALIKE = 3  # rows without key and name that are alike are blank, too
KNOWN_LOCATIONS = {"L1", "L2"}


@dataclass
class Result:
    """The table after the run, and what happened to each row: kind by row number."""

    table: dict[Key, Record]
    kinds: dict[int, str] = field(default_factory=dict)
    removed: set[Key] = field(default_factory=set)
    blank: int = 0


@dataclass
class Judged:
    """A row: its values, or that it is wrong, or the rule that skips it."""

    number: int
    cells: Cells
    key: Key | None
    values: Record
    wrong: bool
    bare: bool  # nothing is wrong but that it has no key and no name
    skipped: bool = False


def judge(
    number: int,
    cells: Cells,
    labels: Sequence[str],
    must: Sequence[str],
    keys: Sequence[str],
    locale: str | None,
) -> Judged | None:
    """Read a row; None where it is blank."""
    texts = {label: cells.get(label, "").strip() for label in labels}
    if not any(texts[label] for label in labels if label not in DEFAULTS):
        return None
    read = READ | IN_AUSTRALIA if locale else READ
    values: Record = {}
    unread = missing = False
    for label, text in texts.items():
        values[label] = read[label].get(text) if label in read and text else text or None
        unread |= bool(text) and values[label] is None
        missing |= not text and label in must
    parts = tuple(values[label] for label in keys)
    bare = not unread and not any(texts[label] for label in must)
    key = None if None in parts else parts
    return Judged(number, texts, key, values, unread or missing, bare)


def read_therapists(rows: Sequence[Cells], locale: str | None) -> list[Judged]:
    """Read the rows that are not blank."""
    return _judge_all(rows, THERAPIST_LABELS, ("Therapist ID",), ("Name",), locale)


def read_schedules(rows: Sequence[Cells], locale: str | None) -> list[Judged]:
    """Read the rows that are not blank."""
    keys = ("Therapist ID", "Weekday", "Start")
    return _judge_all(rows, SCHEDULE_LABELS, keys, ("End",), locale)


def sync_therapists(
    table: Mapping[Key, Record], rows: Sequence[Cells], removal: str, locale: str | None
) -> Result:
    """Sync the therapists: repeated keys, FLAT, locations, unique addresses."""
    judged = read_therapists(rows, locale)
    for row in judged:
        row.skipped = row.values["Employment type"] == "FLAT"
        row.wrong |= _unknown_location(row)
    _fail_what_others_make_doubtful(judged, locale)
    _fail_repeated_keys(judged)
    removed = _removed(table, judged, removal)
    _fail_taken_addresses(table, judged, removed if removal == "delete" else set())
    return _apply(table, judged, removed, removal, len(rows))


def sync_schedules(
    table: Mapping[Key, Record],
    rows: Sequence[Cells],
    removal: str,
    therapists: Result,
    therapist_rows: Sequence[Cells],
    locale: str | None,
) -> Result:
    """Sync the schedules: End after Start, and the therapist must make it."""
    judged = read_schedules(rows, locale)
    first: dict[str, int] = {}
    for number, cells in enumerate(therapist_rows, 2):
        code = cells.get("Therapist ID", "").strip()
        if code and number in therapists.kinds:
            first.setdefault(code, number)
    for row in judged:
        start, end = row.values["Start"], row.values["End"]
        row.wrong |= bool(start and end and end <= start)
        row.wrong |= _unknown_location(row)
        code = row.values["Therapist ID"]
        if code in first:
            kind = therapists.kinds[first[code]]
            row.wrong |= kind == "failed"
            row.skipped = kind == "skipped"
        elif code:
            there = therapists.table.get((code,))
            row.wrong |= there is None or bool(there["removed"])
    _fail_repeated_keys(judged)
    return _apply(table, judged, _removed(table, judged, removal), removal, len(rows))


def _judge_all(
    rows: Sequence[Cells],
    labels: Sequence[str],
    keys: Sequence[str],
    required: Sequence[str],
    locale: str | None,
) -> list[Judged]:
    read = (
        judge(number, cells, labels, (*keys, *required), keys, locale)
        for number, cells in enumerate(rows, 2)
    )
    judged = [row for row in read if row]
    bare = [
        row.values for row in judged if row.bare and row.values.get("Employment type") != "FLAT"
    ]
    return [row for row in judged if row.values not in bare or bare.count(row.values) < ALIKE]


def _fail_what_others_make_doubtful(judged: Sequence[Judged], locale: str | None) -> None:
    """Fail what means something else if people write as a cell of the column shows."""
    for label, signs in SIGNS.items():
        means_something = label != "Start date" or locale
        if means_something and any(row.cells[label] in signs and not row.skipped for row in judged):
            for row in judged:
                row.wrong |= row.cells[label] in DOUBTFUL[label]


def _unknown_location(row: Judged) -> bool:
    return row.values["Location"] is not None and row.values["Location"] not in KNOWN_LOCATIONS


def _fail_repeated_keys(judged: Sequence[Judged]) -> None:
    seen: set[Key] = set()
    for row in judged:
        if row.key is not None:
            row.wrong |= row.key in seen
            seen.add(row.key)


def _removed(table: Mapping[Key, Record], judged: Sequence[Judged], removal: str) -> set[Key]:
    if removal == "keep" or any(row.key is None for row in judged):
        return set()
    read = {row.key for row in judged}
    return {key for key, record in table.items() if key not in read and not record["removed"]}


def _fail_taken_addresses(
    table: Mapping[Key, Record], judged: Sequence[Judged], deleted: set[Key]
) -> None:
    """Fail whoever wants an address that somebody else will hold, until nothing changes."""
    while True:
        good = [row for row in judged if not row.wrong and not row.skipped]
        moved = {row.key for row in good if _changes_address(table, row)}
        held = {
            record["Email"]: key
            for key, record in table.items()
            if key not in moved and key not in deleted and record["Email"]
        }
        wanting = [
            row
            for row in good
            if row.values["Email"] and (row.key not in table or row.key in moved)
        ]
        losers = [row for row in wanting if held.get(row.values["Email"], row.key) != row.key]
        if not losers:
            first: dict[str, int] = {}
            for row in wanting:
                first.setdefault(row.values["Email"], row.number)
            losers = [row for row in wanting if first[row.values["Email"]] != row.number]
        if not losers:
            return
        for row in losers:
            row.wrong = True


def _changes_address(table: Mapping[Key, Record], row: Judged) -> bool:
    before = table.get(row.key) if row.key else None
    return before is not None and before["Email"] != row.values["Email"]


def _apply(
    table: Mapping[Key, Record],
    judged: Sequence[Judged],
    removed: set[Key],
    removal: str,
    rows: int,
) -> Result:
    result = Result({key: dict(record) for key, record in table.items()})
    result.blank = rows - len(judged)
    for row in judged:
        if row.skipped:
            result.kinds[row.number] = "skipped"
        elif row.wrong or row.key is None:
            result.kinds[row.number] = "failed"
        else:
            record = {**row.values, "removed": False}
            before = result.table.get(row.key)
            if "Active" in record and record["Active"] is None:
                record["Active"] = before["Active"] if before else True
            result.kinds[row.number] = (
                "created" if before is None else "unchanged" if before == record else "updated"
            )
            result.table[row.key] = record
    for key in removed:
        result.removed.add(key)
        if removal == "delete":
            del result.table[key]
        else:
            result.table[key]["removed"] = True
    return result
