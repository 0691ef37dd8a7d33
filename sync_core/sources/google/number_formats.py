"""Number formats of Google's cells: what each makes people see of the number under a cell."""

import re
from functools import lru_cache
from typing import NamedTuple

from sync_core.catalogue.fields.number_formats import MOMENTS, NumberFormat
from sync_core.sources.files.xlsx.number_format import CellFormat

_TYPES = {
    "TEXT": NumberFormat.TEXT,
    "PERCENT": NumberFormat.PERCENT,
    "CURRENCY": NumberFormat.CURRENCY,
    "DATE": NumberFormat.DATE,
    "TIME": NumberFormat.TIME,
    "DATE_TIME": NumberFormat.DATE_TIME,
    "SCIENTIFIC": NumberFormat.SCIENTIFIC,
}
_UNSAID = frozenset({"", "General"})  # patterns by which the type alone decides
_WORDS = re.compile(r'"[^"0-9]*"|\[[^\]hms]*\]|\\[^0-9]|_.|\*.')
_DIGITS = re.compile(r"[^0#?,1-9]*[0#?,]*[0#?](?:\.[0#?]+)?[^0#?,1-9]*")
_SHOWN = re.compile("[0#?@ymdhs]|general", re.IGNORECASE)


class Format(NamedTuple):
    """A number format as Google tells it; a cell without one shows numbers as they come."""

    type: str = "NUMBER"
    pattern: str = ""

    @property
    def shows(self) -> NumberFormat:
        """What it makes people see; a pattern may say something else than the type."""
        return _shows(self)

    @property
    def may_hide(self) -> bool:
        """Whether it may show nothing of a number, or a word instead."""
        return ";" in self.pattern or not (self.pattern in _UNSAID or _SHOWN.search(self._bare))

    @property
    def tells_the_day(self) -> bool:
        """Whether a date shows which day of the month it is."""
        if self.pattern in _UNSAID:
            return True
        tokens = CellFormat(self.pattern).sections[0].tokens
        return any(token.kind == "moment" and token.text in {"d", "dd"} for token in tokens)

    @property
    def tells_all_digits(self) -> bool:
        """Whether it shows a number's digits and no others, at most rounded."""
        return self.pattern in _UNSAID or bool(_DIGITS.fullmatch(self._bare))

    @property
    def _bare(self) -> str:
        """Its pattern for most numbers, without the words and signs that stand for themselves."""
        return _WORDS.sub("", self.pattern.partition(";")[0])


@lru_cache(1024)
def _shows(form: Format) -> NumberFormat:
    by_type = _TYPES.get(form.type, NumberFormat.NUMBER)
    if form.pattern in _UNSAID:
        return by_type
    by_pattern = CellFormat(form.pattern).shows
    is_amount = by_pattern is NumberFormat.NUMBER and by_type not in MOMENTS
    return by_type if is_amount else by_pattern
