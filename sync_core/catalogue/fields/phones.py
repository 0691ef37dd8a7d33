"""Phone numbers as the library phonenumbers reads them, and its patterns for plain ones."""

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata

_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)
LONGEST = 250  # characters that the library looks at
LONGEST_CODE = 4  # of +358, say

# The library skips words and turns letters into digits; a cell with words is no phone number.
_WRITTEN = re.compile(
    r"(?:tel: ?)?[(+]{0,2}[0-9][0-9 ()./\u2010-\u2015-]*"
    r"(?:(?:;ext=|[ ,;]*(?:extension|extn|ext|x|#)[.:]? ?)[0-9]{1,11})?",
    re.IGNORECASE,
)


AREA = 6  # digits of the longest area code, its 0 included
LINE = 3  # digits of the shortest number behind one


@dataclass(frozen=True)
class Plan:
    """The plain numbers of a country, as patterns of digits."""

    code: str  # +61
    prefix: str  # 0, before a number called from inside; empty where there is none
    numbers: str  # without code and prefix, of any kind
    lengths: str  # the same, more roughly; a number must match both
    prefixes: str  # what the library takes off a number's front
    exits: str  # what stands for the plus when calling abroad


def e164(text: str, country: str) -> str | None:
    """Read a number as +61412345678, with ;ext=12 where it has an extension; None if it is none."""
    if len(text) > LONGEST or not _WRITTEN.fullmatch(text) or not _is_one_number(text):
        return None
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else str(written)


def for_people(number: str) -> str:
    """Return a number that is kept as +61412345678 as people write it: +61 412 345 678."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _is_one_number(text: str) -> bool:
    """Return whether a slash, if there is one, parts an area code from its number.

    030/123456 is one number; 030 123456 / 57 are two, whose digits together are a third.
    """
    before, *after = text.split("/")
    if not after:
        return True
    area = re.sub("[^0-9]", "", re.sub(r"^\D*\+[0-9]+", "", before)) or before
    line = re.sub("[^0-9]", "", after[0])
    return len(after) == 1 and len(area) <= AREA and len(line) >= LINE


@cache
def plan(country: str) -> Plan | None:
    """Return the plan of a country, unless the library rewrites its numbers beyond a pattern."""
    metadata = PhoneMetadata.metadata_for_region(country)
    general = metadata and metadata.general_desc
    if not metadata or not general or metadata.national_prefix_transform_rule:
        return None
    prefixes = metadata.national_prefix_for_parsing or ""
    prefix = metadata.national_prefix or ""
    return Plan(
        code=f"+{metadata.country_code}",
        prefix=prefix if prefix in prefixes.split("|") else "",
        numbers=_ascii("|".join(_kinds(metadata))),
        lengths=_ascii(general.national_number_pattern or "$"),
        prefixes=_ascii(prefixes or "$"),
        exits=_ascii(metadata.international_prefix or "$"),
    )


def called(starts: set[str]) -> list[str]:
    """Name the main countries whose numbers start so: GB for +442."""
    codes = {int(start[1:length]) for start in starts for length in (2, 3, 4) if _is_code(start)}
    regions = [phonenumbers.region_code_for_country_code(code) for code in sorted(codes)]
    return [region for region in regions if region in phonenumbers.SUPPORTED_REGIONS]


def _is_code(start: str) -> bool:
    return len(start) == LONGEST_CODE and start[0] == "+" and start[1:].isdecimal()


def _kinds(metadata: PhoneMetadata) -> list[str]:
    kinds = [getattr(metadata, kind) for kind in _KINDS]
    return [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]


def _ascii(pattern: str) -> str:
    return pattern.replace(r"\d", "[0-9]")
