"""What a chaos run does to the sources, and which sentences of a failed run are true of it."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.chaos.places import CsvFile, GoogleSheet
from tests.chaos.sheets import Sheet
from tests.support.fakes import cliniko as of_cliniko
from tests.support.fakes import google as of_google
from tests.support.fakes.cliniko import Cliniko
from tests.support.fakes.google import Google

GOOGLE, CLINIKO, CSV = "Google", "Cliniko", "CSV"
EDITED = frozenset({"source_being_edited"})
LINE = frozenset({"google_unavailable", "google_outage"})
HALF = frozenset({"google_contradicts", "google_unavailable"})
CLINIKO_LINE = frozenset({"cliniko_unavailable", "cliniko_unreachable", "cliniko_damaged"})
CLINIKO_HALF = frozenset(
    {"cliniko_incomplete", "cliniko_shrank", "cliniko_unexpected", "cliniko_disorder"}
)
CLINIKO_STORM = frozenset({"cliniko_outage", "cliniko_busy", "cliniko_maintenance"})


@dataclass(frozen=True)
class Sources:
    """All that is read in a chaos run."""

    sheets: Sequence[Sheet]
    google: Google
    cliniko: Cliniko

    def at_google(self, chance: random.Random) -> tuple[Sheet, str]:
        """Choose a sheet at Google; with it, what Google calls it."""
        here = [(s, s.place.id) for s in self.sheets if isinstance(s.place, GoogleSheet)]
        return chance.choice(here)


@dataclass(frozen=True)
class SourceFault:
    """A fault of a source: what to do, and which codes a run may fail with meanwhile."""

    count: int  # how often in a deck
    do: Callable[[Sources, float, random.Random], None]
    codes: frozenset[str]


def edited_in_mid_read(sources: Sources, seconds: float, chance: random.Random) -> None:
    """Let somebody edit the sheet between two answers about it."""
    sheet, name = sources.at_google(chance)
    answers = [chance.choice((sheet.publish, _nothing)) for _ in range(8)]
    with _healed(sources.google):
        sources.google.edit(name, *answers)
        if chance.random() < 0.4:  # who could tell is away
            sources.google.fault(f"/drive/v3/files/{name}", _drive_is_off, times=8)
        time.sleep(seconds)


def _nothing() -> None:
    pass


_drive_is_off = of_google.status(of_google.DRIVE_DISABLED)


def google_goes_wrong(
    path: str, faults: Sequence[of_google.Fault], most: int
) -> Callable[[Sources, float, random.Random], None]:
    """Let some of the next answers about a sheet go wrong."""

    def do(sources: Sources, seconds: float, chance: random.Random) -> None:
        _, name = sources.at_google(chance)
        fault, times = chance.choice(faults), chance.randint(1, most)
        with _healed(sources.google):
            sources.google.fault(f"{name}{path}", *[_as_it_is] * chance.randrange(3))
            sources.google.fault(f"{name}{path}", fault, times=times)
            time.sleep(seconds)

    return do


def _as_it_is(answer: of_google.Answer) -> of_google.Answer:
    return answer


@contextmanager
def _healed(server: Google | Cliniko) -> Iterator[None]:
    """Take back at the end what nobody has met."""
    try:
        yield
    finally:
        server.heal()


def cliniko_goes_wrong(
    faults: Sequence[of_cliniko.Fault], most: int
) -> Callable[[Sources, float, random.Random], None]:
    """Let some of the next answers about a list go wrong."""

    def do(sources: Sources, seconds: float, chance: random.Random) -> None:
        path = chance.choice(("patients", "individual_appointments"))
        fault, times = chance.choice(faults), chance.randint(1, most)
        with _healed(sources.cliniko):
            sources.cliniko.fault(path, fault, times=times, after=chance.randrange(3))
            time.sleep(seconds)

    return do


def file_damaged(sources: Sources, seconds: float, chance: random.Random) -> None:
    """Cut a CSV off in its place, or open a quote in it; later it is written anew."""
    sheet = chance.choice([s for s in sources.sheets if isinstance(s.place, CsvFile)])
    sheet.damage(chance)
    time.sleep(seconds / 4)
    sheet.publish()


def _without(*names: str) -> of_google.Fault:
    """Leave out what an answer holds, wherever it stands in it."""

    def strip(value: object) -> None:
        if isinstance(value, dict):
            for name in names:
                value.pop(name, None)
        for inner in value.values() if isinstance(value, dict) else ():
            for one in inner if isinstance(inner, list) else [inner]:
                strip(one)

    return of_google.changed(strip)


def _without_records(content: of_cliniko.Json) -> None:
    for name, value in content.items():
        if isinstance(value, list):
            content[name] = []


def _half_of_the_records(content: of_cliniko.Json) -> None:
    for name, value in content.items():
        if isinstance(value, list):
            content[name] = value[: len(value) // 2]


def _contradict(content: of_cliniko.Json) -> None:
    content["total_entries"] += 7


DATA = of_google.pretty(of_google.UNAVAILABLE)
GOOGLE_STORM = (
    of_google.status(of_google.UNAVAILABLE),
    of_google.status(of_google.TOO_MANY),
    of_google.status(of_google.TOO_MANY, Retry_After="1"),
    of_google.html(502),
)
CLINIKO_STORMS = (
    of_cliniko.status(503),
    of_cliniko.status(429, Retry_After="1"),
    of_cliniko.html(503),
)
EMPTY = (of_cliniko.altered(_without_records), of_cliniko.altered(_half_of_the_records))
TOTALS = (of_cliniko.altered(_contradict), of_cliniko.total(0), of_cliniko.total(7))
CUTS = (of_cliniko.cut, of_cliniko.reset, of_cliniko.html(), of_cliniko.body("{"))
GOOGLE_CUTS = (of_google.cut, of_google.reset, of_google.broken_json, of_google.html())

SOURCE_FAULTS: dict[str, SourceFault] = {
    "Google sheet edited in mid-read": SourceFault(3, edited_in_mid_read, EDITED | HALF),
    "Google leaves values out": SourceFault(
        2, google_goes_wrong("/values", [_without("values")], 4), HALF
    ),
    "Google answers errors with 200": SourceFault(
        1, google_goes_wrong("", [of_google.body(DATA)], 4), LINE | HALF
    ),
    "Google storm": SourceFault(2, google_goes_wrong("", GOOGLE_STORM, 4), LINE | {"google_busy"}),
    "Google cuts answers": SourceFault(1, google_goes_wrong("", GOOGLE_CUTS, 4), LINE | HALF),
    "Cliniko answers empty pages": SourceFault(2, cliniko_goes_wrong(EMPTY, 4), CLINIKO_HALF),
    "Cliniko contradicts itself": SourceFault(1, cliniko_goes_wrong(TOTALS, 4), CLINIKO_HALF),
    "Cliniko storm": SourceFault(1, cliniko_goes_wrong(CLINIKO_STORMS, 4), CLINIKO_STORM),
    "Cliniko cuts answers": SourceFault(1, cliniko_goes_wrong(CUTS, 4), CLINIKO_LINE),
    "CSV damaged while it is read": SourceFault(
        2, file_damaged, EDITED | {"unclosed_quote", "empty_file"}
    ),
}
