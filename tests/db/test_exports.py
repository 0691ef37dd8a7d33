import csv
import hashlib
import io
import json
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy as sa

from sync_core import organizations
from sync_core.analytics import reasons
from sync_core.audit import exports, hash_chain, in_words
from sync_core.audit import trail as audit
from sync_core.audit.exports import Export
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import csv_writer, db, tables
from sync_core.foundation.errors import CATALOGUE, SyncError
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import COUNTS, ActionKind, Role, RunStatus
from sync_core.operations import syncs
from sync_core.organizations import Organization, actions
from sync_core.organizations.actions import BeganExport, ChangedSetting, SignedIn
from sync_core.organizations.people import Person
from sync_core.records import comparisons
from sync_core.records.privacy import MASK
from sync_core.records.rows import View
from sync_core.runs import Run, filters
from sync_core.runs.filters import Filter
from sync_core.ui.audit.audit_page import details
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.shell import ask
from tests.support.workbooks import saved, workbook

MANAGER = Person("Michael Tan", "michael.tan@example.org", Role.MANAGER, "Marketing")
VIEWER = Person("Vera Olsen", "vera.olsen@example.org", Role.VIEWER)
ANALYST = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST)


def content(export: Export) -> bytes:
    return b"".join(exports.write(export))


def rows(export: Export) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(export).decode(), newline="")))


def trail(organization: Organization, **wanted: Any) -> Export:  # noqa: ANN401 - parts of a filter
    wanted.setdefault("organizations", (organization.id,))
    return exports.trail([(organization, ANA)], Filter(**wanted))


def manifests(organization: Organization) -> list[dict[str, Any]]:
    done = tables.actions.c
    which = (done.organization_id == organization.id, done.kind == "exported")
    with db.everywhere() as connection:
        found = connection.execute(sa.select(done.detail).where(*which).order_by(done.id))
        return [dict(detail) for detail in found.scalars()]


@pytest.fixture
def synced(desk: Desk) -> Run:
    bad = row("L4", Email="nobody", Phone="+61 8 9123 4567")
    desk.sync("locations", locations=[HEADER, row("L1"), row("L3")])
    changed = row("L1", City="Hobart", Email="new@example.org")
    return desk.sync("locations", locations=[HEADER, changed, row("L2"), bad])


# Every cell


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1+1", "' =1+1"),
        ("\t=1+1", "'\t'=1+1"),
        ("\n=1+1", "'\n'=1+1"),
        ("\r=1+1", "'\r'=1+1"),
        ("＝1+1", "'＝1+1"),  # noqa: RUF001 - the wide form
        ("＋1+1", "'＋1+1"),  # noqa: RUF001
        ("\v=1+1", "'\v'=1+1"),
        ("\f+1", "'\f'+1"),
        ("\u3000=1+1", "'\u3000=1+1"),
        ("\u2028=1+1", "'\u2028'=1+1"),
        ("\u202e\u2800\U000e0020@x", "'\u202e\u2800\U000e0020@x"),
        ("a\u2029\u200b=1", "a\u2029\u200b'=1"),
        ("\u3000plain", "\u3000plain"),
        ("a;=1+1", "a;'=1+1"),
        ('a;"=1+1', "a;\"'=1+1"),
        ("a\n=1+1\n@x", "a\n'=1+1\n'@x"),
        ("a\t-1", "a\t'-1"),
        ("a; b; c", "a; b; c"),
        ("+61891234567", "'+61891234567"),
        ("-", "'-"),
        ("\ufe66cmd|' /C calc'!A0", "'\ufe66cmd|' /C calc'!A0"),
        ("\ufe62\ufe6bSUM(1)", "'\ufe62\ufe6bSUM(1)"),
        ("\ufe0f\u034f=1", "'\ufe0f\u034f=1"),
        ("\U000e0100=1", "'\U000e0100=1"),
        ("-31.95", "-31.95"),
        ("-5", "-5"),
        ("1e3", "1e3"),
        (" plain", " plain"),
        ("a=1", "a=1"),
        ('say "so", then\nleave', 'say "so", then\nleave'),
        ("", ""),
        (None, None),
    ],
)
def test_no_text_can_run_as_a_formula(
    cell: str | None, written: str | None, organization: Organization
) -> None:
    assert organization
    query = sa.select(csv_writer.text(sa.cast(cell, sa.Text)).label("cell"), sa.literal(1))
    with db.everywhere() as connection:
        assert connection.execute(query).one()[0] == written
        lines = [line for lines in csv_writer.blocks(connection, query) for line in lines]
    text = csv_writer.joined(lines).decode()
    assert next(csv.reader(io.StringIO(text, newline="")))[0] == (written or "")
    at_hand = csv_writer.line([cell, 1])
    assert next(csv.reader(io.StringIO(at_hand, newline="")))[0] == (written or "")


IGNORABLE = list(  # by default, as DerivedCoreProperties.txt of Unicode 15 says; not all are format
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u2065\u3164\ufe00\ufe0f\uffa0\ufff0\ufff8"
    "\U000e0000\U000e0100\U000e01ef\U000e0fff"
)


def test_nothing_that_shows_nothing_hides_a_formula() -> None:
    every = map(chr, range(1, 0x110000))
    blank = [c for c in every if unicodedata.category(c) in {"Zs", "Zl", "Zp", "Cc", "Cf"}]
    blank += IGNORABLE
    assert [c for c in blank if csv_writer.harmless(f"{c}=1")[0] != "'"] == []
    assert csv_writer.harmless("".join(blank) + "@x")[0] == "'"


def test_lines_end_as_rfc_4180_says_and_cells_keep_their_own_line_ends() -> None:
    assert csv_writer.line(["a", 'b "c"', "d,e", "f\ng"]) == 'a,"b ""c""","d,e","f\ng"\r\n'
    assert csv_writer.joined([b'1,"x\ny"', b"2,z"]) == b'1,"x\ny"\r\n2,z\r\n'


# The trail


def test_the_trail_is_told_as_on_its_page_and_codes_stand_where_they_are_named(
    desk: Desk, synced: Run
) -> None:
    undo = desk.work(syncs.undo(desk.organization, synced.id, ANA, "page"))
    desk.work(syncs.confirm(desk.organization, undo.id, ANA, "page"))
    syncs.cancel(desk.organization, desk.preview("locations").id, ANA)
    desk.sync("admins")  # there is no file
    content(trail(desk.organization))
    with db.everywhere() as connection:
        actions.record(connection, desk.organization.id, ANA, SignedIn("2026-11-29T08:00:00+00:00"))
        actions.record(connection, desk.organization.id, ANA, ChangedSetting('=a, "b"\nc'))
        listed = audit.read(connection, Filter(organizations=(desk.organization.id,)), 100)
    found = rows(trail(desk.organization))
    found = [line for line in found if int(line["Id"]) in {one.id for one in listed}]
    shown = {
        (one.entry, one.id): (
            in_words.event(one),
            details(replace(one, undone=None), ZoneInfo("UTC")),
        )
        for one in listed
    }
    told = {(line["Entry"], int(line["Id"])): line for line in found}
    for key, (event, message) in shown.items():
        assert told[key]["Event"] == event
        assert told[key]["Message"] == csv_writer.harmless(message)
    plain = [
        f"{title}: {cell}"
        for line in found
        for title, cell in line.items()
        if "code" not in title and "JSON" not in title
    ]
    codes = {*RunStatus, *CATALOGUE, "admins", *map(str, ActionKind)} - {"undo"}
    assert [cell for cell in plain if cell.partition(": ")[2] in codes or '{"' in cell] == []
    by_event = {line["Event"]: line for line in found}
    assert by_event["Signed in"]["Details"].startswith("Signed in at: 29 Nov 2026, 08:00:00 UTC")
    assert json.loads(by_event["Signed in"]["Facts (JSON)"])["at"] == "2026-11-29T08:00:00+00:00"
    assert by_event["Failed"]["Error"] == "File of a table not found"
    assert by_event["Undo done"]["Started from"] == "Undo"
    assert by_event["Declined"]["Event code"] == "cancelled"
    assert "SHA-256: " in by_event["Exported"]["Details"]


def test_the_trail_holds_runs_and_actions_newest_first(desk: Desk, synced: Run) -> None:
    found = rows(trail(desk.organization))
    assert [line["Entry"] for line in found] == ["run", "action"] * 2
    assert [line["Time (UTC)"] for line in found] == sorted(line["Time (UTC)"] for line in found)[
        ::-1
    ]
    last = found[0]
    assert (last["Id"], last["Event"], last["Person"]) == (
        str(synced.id),
        "Partly synced",
        "Ana Ruiz",
    )
    assert (last["Resource"], last["Kind of run"], last["Message"]) == (
        "Locations",
        "Sync",
        synced.message,
    )
    assert (last["Event code"], last["Resource code"]) == ("partial", "locations")
    counts = [last[kind.capitalize()] for kind in COUNTS]
    assert counts == ["3", "1", "1", "0", "0", "1", "0"]
    assert "Invalid email format" in last["Details"]
    assert found[1]["Created"] == ""


def test_a_run_stands_at_its_end_and_an_unfinished_one_at_its_request(desk: Desk) -> None:
    """What was done while a run was running stands between its start and its result."""
    desk.write("locations", [HEADER, row("L1")])
    run = desk.start("locations")
    with db.within(desk.organization.id) as connection:
        actions.record(connection, desk.organization.id, ANA, SignedIn())
    wanted = Filter(organizations=(desk.organization.id,))

    def listed() -> list[tuple[str, str]]:
        with db.within(desk.organization.id) as connection:
            return [(one.entry, one.what) for one in audit.read(connection, wanted, 10)]

    assert listed()[0] == ("action", "signed in")
    assert ("run", "queued") in listed()[1:]
    ended = desk.work(run)
    assert listed()[0] == ("run", "completed")
    assert ended.finished_at is not None
    after = replace(wanted, since=ended.finished_at)
    with db.within(desk.organization.id) as connection:
        assert [one.id for one in audit.read(connection, after, 10)] == [run.id]
        assert [one.id for one in audit.read(connection, wanted, 1)] == [run.id]
    assert rows(trail(desk.organization))[0]["Id"] == str(run.id)


def test_times_are_iso_with_their_zone(desk: Desk, synced: Run) -> None:
    line = rows(trail(desk.organization))[0]
    assert datetime.fromisoformat(line["Finished (UTC)"]) == synced.finished_at
    assert line["Finished (UTC)"].endswith("Z")


def test_texts_of_the_trail_cannot_run_as_formulas(organization: Organization) -> None:
    person = Person("=HYPERLINK(1)", "+x@example.org", Role.ADMIN, "-1+2")
    with db.everywhere() as connection:
        actions.record(connection, organization.id, person, SignedIn())
    (line,) = rows(trail(organization))
    assert (line["Person"], line["E-mail"]) == ("'=HYPERLINK(1)", "'+x@example.org")
    assert line["Team"] == "'-1+2"


def test_list_count_and_file_never_disagree(organization: Organization) -> None:
    made = _history(organization, 120)
    random = Random(7)  # noqa: S311 - the same filters each time
    for _ in range(40):
        wanted = _some_filter(random, organization, made)
        with db.everywhere() as connection:
            listed = audit.read(connection, wanted, 1_000)
            counted = audit.count(connection, wanted)
        export = exports.trail([(organization, ANA)], wanted)
        written = [(line["Entry"], int(line["Id"])) for line in rows(export)]
        assert written == [(one.entry, one.id) for one in listed]
        assert counted == len(written)


def _history(organization: Organization, number: int) -> datetime:
    """Make up ended runs and actions, two of each an hour."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    random = Random(3)  # noqa: S311 - the same history each time
    people = [ANA, MANAGER, ANALYST]
    with db.everywhere() as connection:
        for n in range(number):
            person, at = random.choice(people), start + timedelta(hours=n // 2)
            who = {"name": person.name, "email": person.email, "team": person.team}
            common = {"organization_id": organization.id, "resource": random.choice(RESOURCES)}
            if n % 3:
                status = random.choice(["completed", "partial", "failed", "cancelled"])
                values = {
                    "trigger": random.choice(["page", "schedule"]),
                    "status": status,
                    "requested_by": person.name,
                    "requested_email": person.email,
                    "requested_team": person.team,
                    "queued_at": at,
                    "finished_at": at + timedelta(seconds=n),
                    "log_message": f"Processed {n} rows, 100 % of_them",
                    "error_code": "internal" if status == "failed" else None,
                }
                connection.execute(sa.insert(tables.runs).values(**common, **values))
            else:
                values = {"kind": random.choice(["started", "signed in"]), "at": at, **who}
                connection.execute(sa.insert(tables.actions).values(**common, **values))
    return start


RESOURCES = ["locations", "admins", "services"]


def _some_filter(random: Random, organization: Organization, start: datetime) -> Filter:
    def some(*values: str) -> tuple[str, ...]:
        return tuple(random.sample(values, random.choice([0, 0, 0, 1, 2])))

    since = start + timedelta(hours=random.randrange(40)) if random.random() < 0.4 else None
    return Filter(
        organizations=(organization.id,),
        since=since,
        until=since and since + timedelta(hours=random.randrange(1, 30)),
        resource=some(*RESOURCES),
        status=some("completed", "failed", "cancelled"),
        trigger=some("page", "schedule"),
        person=some(ANA.email, MANAGER.email),
        team=some("IT", "Marketing"),
        error=some("internal", "timed_out"),
        action=some("started", "signed in"),
        search=random.choice(["", "", "ruiz", "100 %", "of_them 7", "no such word", "an"]),
    )


@pytest.mark.parametrize("offset", [0, 7, 60, 119, 120])
def test_pages_of_the_list_follow_each_other(offset: int, organization: Organization) -> None:
    _history(organization, 120)
    wanted = Filter(organizations=(organization.id,))
    with db.everywhere() as connection:
        every = audit.read(connection, wanted, 1_000)
        assert audit.read(connection, wanted, 9, offset) == every[offset : offset + 9]


def test_a_long_list_is_counted_to_its_limit(organization: Organization) -> None:
    _history(organization, 30)
    with db.everywhere() as connection:
        wanted = Filter(organizations=(organization.id,))
        assert audit.count(connection, wanted, most=12) == 13
        assert audit.count(connection, wanted) == 30


def test_the_trail_of_several_organizations_is_one_list(
    organization: Organization,
) -> None:
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{organization.slug}-2", "Harbor Clinics")
        for one in (organization, other, organization):
            actions.record(connection, one.id, ANA, SignedIn())
    wanted = Filter(organizations=(organization.id, other.id))
    export = exports.trail([(organization, ANA), (other, ANA)], wanted)
    names = [line["Organization"] for line in rows(export)]
    assert names == [organization.name, other.name, organization.name]
    assert manifests(other)[0]["organizations"] == [organization.slug, other.slug]
    assert len(manifests(organization)) == 1


# Who may


@pytest.mark.parametrize("person", [VIEWER, ANALYST])
def test_only_those_who_may_export_get_the_trail(person: Person, desk: Desk, synced: Run) -> None:
    wanted = Filter(organizations=(desk.organization.id,))
    with pytest.raises(SyncError, match="may not export"):
        exports.trail([(desk.organization, person)], wanted)
    with pytest.raises(SyncError, match="may not export"):
        exports.outcomes(desk.organization, person, synced)


def test_who_mends_rows_gets_them_and_a_viewer_does_not(desk: Desk, synced: Run) -> None:
    assert rows(exports.rejects(desk.organization, ANALYST, synced))
    with pytest.raises(SyncError, match="may not export"):
        exports.rejects(desk.organization, VIEWER, synced)


def test_nobody_gets_an_organization_for_which_nobody_vouches(
    desk: Desk, organization: Organization
) -> None:
    assert desk
    with pytest.raises(ValueError, match="nobody has asked"):
        trail(organization, organizations=(organization.id, 1))


# The rows of a run


def test_rejected_rows_keep_their_columns_and_say_why(desk: Desk) -> None:
    header = [*HEADER, "Notes"]  # no field of ours
    bad = [*row("L2", Email="nobody", Phone="+61 8 9123 4567"), "ring, then\nknock"]
    run = desk.sync("locations", locations=[header, [*row("L1"), ""], bad])
    (rejected,) = rows(exports.rejects(desk.organization, ANA, run))
    assert rejected["Row"] == "3"
    assert (rejected["Cell"], rejected["Value"]) == ("Locations!H3", "nobody")
    assert rejected["Problem"] == "Invalid email format"
    assert rejected["Phone"] == "'+61 8 9123 4567"
    assert "Notes" not in rejected


def test_nothing_is_kept_of_columns_that_nobody_declared(desk: Desk) -> None:
    header = [*HEADER[:2], "Medicare number", *HEADER[2:]]
    good, bad, skew = row("L1"), row("L2", Email="nobody"), row("L3")
    lines = [[*cells[:2], "2950-SECRET", *cells[2:]] for cells in (good, bad, skew)]
    lines[2].insert(1, "one cell too many")
    run = desk.sync("locations", locations=[header, *lines])
    with db.everywhere() as connection:
        kept = connection.execute(
            sa.select(tables.outcomes).where(tables.outcomes.c.run_id == run.id)
        ).all()
    assert [one.kind for one in kept].count("failed") == 2
    assert "SECRET" not in str(kept)
    found = exports.rejects(desk.organization, ANA, run)
    assert "SECRET" not in str(rows(found))


MARK = "2950-aside"
ASIDE: dict[str, Callable[[list[str]], list[str]]] = {  # where it stands, by a name in the header
    "": lambda cells: [*cells[:2], MARK, *cells[2:]],
    "Medicare": lambda cells: [*cells, MARK],
    "E mail": lambda cells: [*cells[:7], MARK, *cells[7:]],
    "\N{CYRILLIC CAPITAL LETTER IE}mail": lambda cells: [*cells[:7], MARK, *cells[7:]],
    "Phone number (private)": lambda cells: [MARK, *cells],
}


@pytest.mark.parametrize("book", [False, True], ids=["CSV", "workbook"])
@pytest.mark.parametrize("name", ASIDE)
def test_no_table_keeps_what_stands_aside(
    desk: Desk, database: psycopg.Connection, name: str, *, book: bool
) -> None:
    put = ASIDE[name]
    header = [name if cell == MARK else cell for cell in put(HEADER)]
    lines = [row("L1"), row("L2", Email="nobody"), row("L3", ""), row("Total"), row("L1")]
    sheet = [header, *map(put, lines), [*put(row("L4")), MARK], put(row("L5"))[:-2]]
    if book:
        saved(workbook(*sheet), desk.folder / "locations.xlsx")
    else:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(sheet)
        text.write(f'L7,"a torn cell,{MARK},{MARK}{"," * 9}\n')
        writer.writerows(put(row(f"L{n}")) for n in range(10, 20))
        (desk.folder / "locations.csv").write_text(text.getvalue(), "utf-8")
    for run in (desk.preview("locations"), desk.work(desk.start("locations"))):
        assert run.status in {"waiting", "partial"}, run.message
        assert _where(database) == []


@pytest.mark.parametrize("title", [f"Notes on {MARK}", MARK])
def test_no_table_keeps_the_title_of_a_column_that_nobody_declared_beside_personal_ones(
    desk: Desk, database: psycopg.Connection, title: str
) -> None:
    """It may name a person: a column for each patient, a row of cells above the header's end."""
    hours = [field.label for field in ENTITIES["schedules"].fields]
    labels = [field.label for field in ENTITIES["therapists"].fields]
    sheets = {
        "therapists": [[*labels[:1], title, *labels[1:]], ["T1", "x"]],
        "schedules": [hours],
    }
    preview, run = desk.preview("therapists", **sheets), desk.sync("therapists", **sheets)
    assert _where(database) == []
    assert "Therapists: 1 unknown column was ignored: B." in run.notes
    for one in (preview, run):
        assert MARK not in str(content(exports.log(desk.organization, ANA, one)))
    sheets["therapists"][0][1] = "another"
    with db.within(run.organization_id) as connection:
        found = comparisons.compare(connection, run, desk.sync("therapists", **sheets), ANA)
    assert [(one.new_headers, one.lost_headers) for one in found.tables] == [([], [])] * 2


def _where(database: psycopg.Connection) -> list[str]:
    """Return the tables, of ours and of runs, in which the mark stands."""
    tables_of = "select format('%I.%I', table_schema, table_name) from information_schema.tables"
    names = database.execute(f"{tables_of} where table_schema in ('public', 'staging')").fetchall()
    asked = "select exists (select from {0} t where t::text like '%2950-aside%')"
    return [name for (name,) in names if database.execute(asked.format(name)).fetchone() == (True,)]


def test_filtered_rows_are_a_file_of_those_who_may_export(desk: Desk) -> None:
    lines = [row(f"L{n}", f"Clinic {n}", City=("Perth", "Hobart")[n % 2]) for n in range(60)]
    desk.sync("locations", locations=[HEADER, *lines])
    view = View(search="clinic", only={"city": ["Hobart"]}, order="name", descending=True)
    export = exports.records(desk.organization, ANA, ENTITIES["locations"], view)
    found = rows(export)
    assert len(found) == 30  # of all pages
    assert found[0]["Name"] == "Clinic 9"
    assert {line["City"] for line in found} == {"Hobart"}
    assert export.manifest.filters == {"table": "locations", "search": MASK, "city": "Hobart"}
    for person in (ANALYST, VIEWER):
        with pytest.raises(SyncError, match="may not"):
            exports.records(desk.organization, person, ENTITIES["locations"], view)


def test_a_run_without_rejects_gives_a_header_alone(desk: Desk) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    assert rows(exports.rejects(desk.organization, ANA, run)) == []


def test_outcomes_tell_what_changed_before_and_after(desk: Desk, synced: Run) -> None:
    found = {line["Key"]: line for line in rows(exports.outcomes(desk.organization, ANA, synced))}
    assert found["L1"]["Outcome"] == "updated"
    assert "City: " in found["L1"]["Changes"]
    assert " → Hobart" in found["L1"]["Changes"]
    assert "new@example.org" in found["L1"]["Changes"]
    assert found["L2"]["Outcome"] == "created"
    assert found["L4"]["Reasons"].endswith("Invalid email format")


def test_a_manager_s_file_shows_what_the_page_shows_and_says_that_it_is_masked(
    desk: Desk, synced: Run
) -> None:
    found = {
        line["Key"]: line for line in rows(exports.outcomes(desk.organization, MANAGER, synced))
    }
    assert "Email: blank → new@example.org" in found["L1"]["Changes"]  # of a clinic, nobody's own
    assert manifests(desk.organization)[-1]["masked"] is True
    content(exports.outcomes(desk.organization, ANA, synced))
    assert manifests(desk.organization)[-1]["masked"] is False


# The manifest


FILES: dict[str, Callable[[Desk, Run], Export]] = {
    "audit trail": lambda desk, _: trail(desk.organization),
    "outcomes": lambda desk, run: exports.outcomes(desk.organization, ANA, run),
    "rows to fix": lambda desk, run: exports.rejects(desk.organization, ANA, run),
    "log": lambda desk, run: exports.log(desk.organization, ANA, run),
    "failed rows: bad_email": lambda desk, _: reasons.file(*_asked(desk), "bad_email"),
    "figures: Waits": lambda desk, _: exports.figures(*_asked(desk), "Waits", ["Runs"], [["=1"]]),
}


def _asked(desk: Desk) -> tuple[exports.Askers, Filter]:
    return [(desk.organization, ANA)], Filter(organizations=(desk.organization.id,))


@pytest.mark.parametrize("what", FILES)
def test_each_file_leaves_the_same_manifest(desk: Desk, synced: Run, what: str) -> None:
    export = FILES[what](desk, synced)
    with db.everywhere() as connection:
        link, head = hash_chain.head(connection, desk.organization.id)
    written = content(export)
    (manifest,) = manifests(desk.organization)
    assert (manifest["what"], manifest["file"]) == (what, export.file)
    assert manifest["sha256"] == hashlib.sha256(written).hexdigest()
    assert (manifest["bytes"], manifest["complete"]) == (len(written), True)
    assert manifest["rows"] == len(written.splitlines()) - (what != "log")
    assert manifest["head"] == {"link": link, "hash": head}
    assert manifest["seconds"] >= 0
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, desk.organization).broken is None


def test_no_file_leaves_the_program_another_way() -> None:
    ways = {"st.download_button(": set[str](), "StreamingResponse(": set(), "to_csv(": set()}
    for file in (ROOT / "sync_core").rglob("*.py"):
        for way, found in ways.items():
            if way in file.read_text("utf-8"):
                found.add(file.name)
    # nothing is prepared under an address that answers without a cookie
    assert ways.pop("StreamingResponse(") == {"sheet_sync.py"}  # an answer that a front end awaits
    assert set().union(*ways.values()) == set()


def test_figures_cannot_run_as_formulas_and_open_in_excel(desk: Desk) -> None:
    askers, wanted = _asked(desk)
    export = exports.figures(askers, wanted, "By person", ["Name", "Runs"], [["=1+1", -3]])
    assert export.file == "by-person.csv"
    assert content(export) == "\ufeffName,Runs\r\n'=1+1,-3\r\n".encode()


def test_each_export_leaves_a_manifest_with_its_filters(desk: Desk, synced: Run) -> None:
    assert synced
    written = content(trail(desk.organization, status=("partial",), search="ruiz"))
    (told,) = manifests(desk.organization)
    assert told["sha256"] == hashlib.sha256(written).hexdigest()
    assert (told["rows"], told["bytes"], told["complete"]) == (1, len(written), True)
    assert told["filters"] == {"status": "partial", "search": MASK}
    assert told["head"]["link"] == 4
    assert len(told["head"]["hash"]) == 64


@pytest.mark.parametrize("word", ["Priya Nandakumar", "0412 345 678", "ruiz"])
def test_no_table_keeps_a_word_that_was_searched_when_a_file_of_the_trail_was_taken(
    desk: Desk, synced: Run, database: psycopg.Connection, word: str
) -> None:
    """It may be a patient's name, and what the trail holds it holds for ever, for all its readers.

    Which file it was, its SHA-256 and the number of its rows tell.
    """
    assert synced
    asked = trail(desk.organization, search=f"{word} zzyzx")
    content(asked)
    figures = exports.figures(
        asked.askers, Filter(organizations=(desk.organization.id,), search=word), "x", ["A"], []
    )
    content(figures)
    kept = "select detail::text from actions where organization_id = %s and detail::text ~ 'zzyzx'"
    assert database.execute(kept, [desk.organization.id]).fetchall() == []
    told = manifests(desk.organization)
    assert [one["filters"]["search"] for one in told] == [MASK, MASK]
    assert word not in str(told)


def test_a_file_that_broke_off_is_recorded_as_such(organization: Organization) -> None:
    _history(organization, 30)
    blocks = exports.write(trail(organization))
    handed_over = next(blocks)
    _close(blocks)
    (told,) = manifests(organization)
    assert (told["complete"], told["bytes"]) == (False, len(handed_over))
    assert told["sha256"] == hashlib.sha256(handed_over).hexdigest()


def entries(organization: Organization, action: str) -> list[audit.Entry]:
    with db.everywhere() as connection:
        wanted = Filter(organizations=(organization.id,), action=(action,))
        return audit.read(connection, wanted, 10)


def test_a_file_is_in_the_trail_before_its_first_byte(
    organization: Organization, database: psycopg.Connection
) -> None:
    blocks = exports.write(trail(organization, search="nobody"))
    assert entries(organization, "began an export") == []
    next(blocks)
    kinds = "select kind from actions where organization_id = %s"
    assert database.execute(kinds, [organization.id]).fetchall() == [("began an export",)]
    (began,) = entries(organization, "began an export")
    assert (
        details(began, ZoneInfo("UTC"))
        == "Audit trail: no end is recorded, so it is running or was cut short"
    )
    assert list(blocks) == []
    (began,), (told,) = entries(organization, "began an export"), manifests(organization)
    assert (details(began, ZoneInfo("UTC")), told["began"]) == ("Audit trail", began.id)
    assert isinstance(began.detail, BeganExport)
    assert began.detail.filters == told["filters"] == {"search": MASK}


KILLED = """
import os, signal, sys
from sync_core import organizations
from sync_core.audit import exports
from sync_core.foundation import db
from sync_core.runs.filters import Filter
from tests.support.desk import ANA

with db.everywhere() as connection:
    here = organizations.get(connection, sys.argv[1])
blocks = exports.write(exports.trail([(here, ANA)], Filter(organizations=(here.id,))))
print(next(blocks).decode(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_leaves_what_it_began_to_hand_over(
    organization: Organization,
) -> None:
    _history(organization, 30)
    words = [sys.executable, "-c", KILLED, organization.slug]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout[:16]) == (-signal.SIGKILL, "Time (UTC),Entry"), done.stderr
    assert manifests(organization) == []
    (began,) = entries(organization, "began an export")
    assert (began.has_ended, began.email) == (False, ANA.email)
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, organization).broken is None


def test_what_cannot_be_read_does_not_begin(organization: Organization) -> None:
    export = trail(organization)
    query = sa.select((sa.literal(1) / 0).label("one"))
    broken = replace(export, content=exports._of_query(export.askers, query))  # noqa: SLF001
    with pytest.raises(psycopg.errors.DivisionByZero):
        content(broken)
    assert entries(organization, "began an export") == []


def _close(blocks: Iterator[bytes]) -> None:
    blocks.close()  # type: ignore[attr-defined] # a generator


def test_a_byte_order_mark_comes_on_wish(organization: Organization) -> None:
    asked = Filter(organizations=(organization.id,))
    with_mark = exports.trail([(organization, ANA)], asked, bom=True)
    assert content(with_mark).startswith(b"\xef\xbb\xbfTime (UTC),")
    assert content(trail(organization)).startswith(b"Time (UTC),")


# From the shell


def test_the_shell_exports_what_the_filters_find(
    desk: Desk, synced: Run, tmp_path: Path, database: psycopg.Connection
) -> None:
    assert database
    file = tmp_path / "audit.csv"
    words = ["export", "--csv", str(file), "--org", desk.organization.slug, "--bom"]
    done = ask(*words, "--status", "partial", "--since", "2026-01-01", "--search", "ruiz")
    assert done.exit_code == 0, done.output
    text = file.read_text("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text))
    assert line["Id"] == str(synced.id)
    assert f"Wrote 1 entries to {file}" in done.stdout
    (told,) = manifests(desk.organization)
    assert told["sha256"] in done.stdout
    assert told["filters"]["status"] == "partial"


def test_the_shell_refuses_who_may_not_export(desk: Desk, tmp_path: Path) -> None:
    words = ["--csv", str(tmp_path / "x.csv"), "--org", desk.organization.slug]
    assert ask("export", *words, "--as", "nobody@example.org").exit_code == 5


def test_the_address_of_a_filter_asks_for_the_same(organization: Organization) -> None:
    wanted = Filter(organizations=(organization.id,), action=("exported",), search="x")
    assert filters.from_address(filters.to_address(wanted), (organization.id,)) == wanted


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("2026-11-29T08:00:00+00:00", "2026-11-29"),
        ("1795965858", "2026-11-29"),  # as claims have it
        ("some time", "some time"),
        ("9" * 30, "9" * 30),
    ],
)
def test_a_moment_is_told_however_it_is_kept(kept: str, told: str) -> None:
    facts = in_words.named(SignedIn(kept), lambda at: f"{at:%Y-%m-%d}")
    assert facts == [("Signed in at", told)]
