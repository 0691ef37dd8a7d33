import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.catalogue import reason_words
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.foundation import counting
from sync_core.foundation.errors import CATALOGUE
from sync_core.foundation.errors.of_runs import OF_RUNS
from sync_core.foundation.errors.of_sources import OF_SOURCES
from sync_core.foundation.errors.summaries import SUMMARIES
from sync_core.foundation.vocabulary import RunStatus
from sync_core.ui.parts import words

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # 14:30 in Perth, a Monday
PERTH = ZoneInfo("Australia/Perth")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (14 * 60 + 59, "14 minutes ago"),
        (3_600, "1 hour ago"),
        (86_399, "23 hours ago"),
        (3 * 86_400, "3 days ago"),
    ],
)
def test_how_long_ago(seconds: float, told: str) -> None:
    assert counting.ago(NOW - timedelta(seconds=seconds), NOW) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.04, "0 s"),
        (0.4, "0.4 s"),
        (3, "3 s"),
        (12.4, "12 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (3_600, "1 h"),
        (3_900, "1 h 5 min"),
        (43_200, "12 h"),
    ],
)
def test_how_long_it_lasted(seconds: float, told: str) -> None:
    assert words.lasted(seconds) == told


def test_a_moment_is_written_in_one_way_in_somebody_s_own_zone() -> None:
    assert words.moment(NOW, PERTH) == "23 Nov 2026, 14:30"
    assert words.moment(NOW - timedelta(hours=14), PERTH) == "23 Nov 2026, 00:30"
    assert counting.moment_there(NOW, "Australia/Perth") == "23 Nov 2026, 14:30 (Australia/Perth)"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("bad_phone", "Invalid phone format"),
        ("missing_column", "Column missing"),
        ("source_silent", "Source stopped answering"),
        ("too_much_memory", "Source needs too much memory"),
        ("FLAT skipped", "FLAT skipped"),
    ],
)
def test_a_code_is_told_as_a_sentence(code: str, told: str) -> None:
    assert reason_words.of_code(code) == told


def test_no_code_of_the_catalogues_is_seen_as_such() -> None:
    told = {code: reason_words.of_code(code) for code in (*CATALOGUE, *CELL_CODES)}
    assert [code for code, words in told.items() if "_" in words or "{" in words] == []


def test_what_can_end_a_run_is_told_without_the_gaps_of_a_template() -> None:
    told = {code: reason_words.of_code(code) for code in OF_SOURCES | OF_RUNS}
    assert [code for code, words in told.items() if "…" in words] == []
    assert set(SUMMARIES) <= set(told)
    assert len(set(SUMMARIES.values())) == len(SUMMARIES)  # each is told from the others


def test_places_are_written_as_people_say_them() -> None:
    told = [words.ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 1_003)]
    expected = "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th 1,003rd"
    assert " ".join(told) == expected


def test_every_status_has_a_look_of_its_own() -> None:
    assert set(words.LOOKS) == set(RunStatus)
    assert len({look.icon for look in words.LOOKS.values()}) == len(words.LOOKS)


@given(st.text(max_size=40))
def test_any_text_is_shown_literally(text: str) -> None:
    shown = words.literal(text).replace(words.BREAK, "")
    assert "\n" not in shown
    bare = words.literal(" ".join(text.split())).replace(words.BREAK, "")
    assert shown == bare
    for mark in "*_[]()<>:$`#|~&!":
        assert mark not in shown.replace("\\\\", "").replace(f"\\{mark}", "")


TURNED_INTO_LINKS = re.compile(  # as `mdast-util-gfm-autolink-literal` finds them in any text
    r"(https?://|www(?=\.))([-.\w]+)([^ \t\r\n]*)|([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    "text",
    [
        "ana.ruiz@example.org",
        "invited <ana.ruiz+desk@mail.example.org> as a viewer",
        "mailto:ana@example.org",
        "xmpp:ana@example.org/home",
        "a@b@example.org",
        "https://example.org/a?b=c",
        "HTTP://EXAMPLE.ORG",
        "www.example.org",
        "see WWW.example.org.",
    ],
)
def test_no_address_becomes_a_link(text: str) -> None:
    parts = words.literal(text).split(words.BREAK)  # each a text of its own, as Markdown reads it
    drawn = [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", part) for part in parts]
    assert TURNED_INTO_LINKS.search(text)
    assert not any(map(TURNED_INTO_LINKS.search, drawn))
    assert "".join(drawn) == text


def test_no_text_turns_the_direction_of_its_neighbours() -> None:
    assert words.literal("Ana \u202egro.elpmaxe\u2069") == "Ana \ufffdgro\\.elpmaxe\ufffd"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.0 KB"),
        (12_400, "12.4 KB"),
        (3_000_000, "3.0 MB"),
        (7_250_000_000, "7.2 GB"),
        (1_000_000_000_000, "1000.0 GB"),
    ],
)
def test_an_amount_of_bytes_is_told_in_its_unit(number: int, told: str) -> None:
    assert words.size(number) == told


def test_a_promise_is_told_in_hours_or_whole_days() -> None:
    told = [counting.hours(number) for number in (1, 6, 24, 36, 48, 168)]
    assert told == ["1 hour", "6 hours", "24 hours", "36 hours", "2 days", "7 days"]


def test_a_long_text_is_cut_where_a_card_is_full() -> None:
    assert words.brief("a  b\n c") == "a b c"
    assert words.brief("of 4,180 rows, 1,234", 15) == "of 4,180 rows…"
    assert words.brief("of 4,180 rows", 8) == "of…"
    assert words.brief("a" * 30, 20) == "a" * 19 + "…"
    assert words.brief("word " * 100, 20) == "word word word word\N{HORIZONTAL ELLIPSIS}"
