"""The catalogue of what can be wrong with a cell, or a row: code, sentences, advice.

What can go wrong with a whole run stands in `foundation/errors`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

_QUOTED_AT_END = re.compile(r": \{(?:text|shown)\}.*$")
_OF_THE_VALUE = frozenset({"text", "shown", "value", "hidden", "readings"})  # facts that quote it


@dataclass(frozen=True)
class CellCode:
    """One kind of issue.

    `summary` names it where many are counted, and for those who may not see the cell. `about` tells
    of one cell: a format string over facts, of which every field gives `label`, `text` (what
    stands in the cell, in quotes), `shown` (the same without them) and `value` (the number under
    it). Both have no full stop.
    """

    summary: str
    advice: str
    about: str = ""  # where the summary says too little

    @property
    def sentence(self) -> str:
        """What is told of one cell."""
        return self.about or self.summary

    @property
    def unquoted(self) -> str:
        """What is told of one cell whose value nobody may read here: it makes sense without it.

        The quotation at the end goes; where the sentence needs it, the summary is told instead.
        """
        without = _QUOTED_AT_END.sub("", self.sentence)
        named = {name for _, name, _, _ in Formatter().parse(without)}
        if named.isdisjoint(_OF_THE_VALUE):
            return without
        return f"{{label}}: {self.summary[0].lower()}{self.summary[1:]}"


CELL_CODES: Mapping[str, CellCode] = {
    # any cell
    "required": CellCode("A required cell is blank", "Fill the cell in.", "{label} is required"),
    "formula_error": CellCode(
        "The formula shows an error",
        "Fix the formula, or wait until the sheet has loaded.",
        "The formula shows {shown}",
    ),
    "not_calculated": CellCode(
        "The formula was never calculated",
        "Open the workbook in Excel or LibreOffice, save it, and sync again.",
        "The formula of {label} was never calculated",
    ),
    "control_character": CellCode(
        "The cell holds a control character",
        "Type the cell again: something invisible was copied with it.",
        "{label} holds a control character",
    ),
    "too_narrow": CellCode(
        "The column is too narrow to show its cells",
        "Widen the column, and export the sheet again.",
        "The column of {label} is too narrow: {shown}",
    ),
    # a number under a cell
    "hidden_part": CellCode(
        "The cell shows less than its value",
        "Round the value in the sheet, or let the cell show all of it.",
        "{label}: the cell shows {shown}, its value is {value}",
    ),
    "hidden_moment": CellCode(
        "The cell holds more than it shows",
        "Type the cell again, with only what it shows.",
        "{label}: the cell also holds {hidden}",
    ),
    "shown_as_another": CellCode(
        "A number is shown as something else",
        "Format the column as plain text, and type the cell again.",
        "{label} is shown as {looks}: {text}",
    ),
    # words
    "damaged_text": CellCode(
        "The text has lost letters",
        "Export the sheet again, as 'CSV UTF-8'.",
        "{label} has lost letters: {text}",
    ),
    "formula_shown": CellCode(
        "The cell shows a formula",
        "Let the sheet show its result, and export it again.",
        "{label} shows a formula: {text}",
    ),
    "too_long": CellCode(
        "The text is too long", "Shorten the cell.", "{label} is longer than {limit} characters"
    ),
    "unknown_choice": CellCode(
        "Not one of the choices",
        "Write one of the words that the message lists.",
        "{label} must be one of {options}",
    ),
    "not_yes_or_no": CellCode(
        "Neither yes nor no", "Write yes or no.", "{label} must be yes or no: {text}"
    ),
    "unknown_currency": CellCode(
        "Unknown currency",
        "Write the currency's code, such as AUD.",
        "{label} must be a currency code such as AUD: {text}",
    ),
    # amounts
    "not_a_number": CellCode(
        "Not a number",
        "Write digits only; an administrator can set the source's locale.",
        "{label} is not {wanted}: {text}{hint}",
    ),
    "too_many_decimals": CellCode(
        "More than two decimals",
        "Round the amount in the sheet.",
        "{label} has more than two decimals: {text}",
    ),
    "out_of_range": CellCode(
        "Out of range", "Correct the cell.", "{label} must be {range}: {text}{hint}"
    ),
    "digits_lost": CellCode(
        "The sheet has lost digits",
        "Format the column as plain text, and type the number again.",
        "The sheet has lost digits of {label}: {text}",
    ),
    # moments
    "not_a_date": CellCode(
        "Not a date",
        "Write it as 2026-04-03; an administrator can set the source's locale.",
        "{label} is not a date: {text}{hint}",
    ),
    "ambiguous_date": CellCode(
        "Ambiguous date",
        "Write it as 2026-04-03; an administrator can set the source's locale.",
        "{shown} is ambiguous: {fix} {readings}",
    ),
    "other_order": CellCode(
        "Day and month in another order than the locale's",
        "Write it as 2026-04-03; an administrator can set the source's locale.",
        "{label} is not a date: {text} ({locale} writes {order} first; write {readings}, or set the"
        " source's locale)",
    ),
    "impossible_date": CellCode(
        "Not in the calendar", "Correct the date.", "{label} is not in the calendar: {text}{hint}"
    ),
    "not_a_time": CellCode(
        "Not a time of day",
        "Write it as 09:30 or 9:30 pm.",
        "{label} is not a time of day: {text}",
    ),
    "not_a_moment": CellCode(
        "Not a date and time",
        "Write it as 2026-04-03T09:30:00Z, with its offset from UTC.",
        "{label} is not a date and time: {text}",
    ),
    # contacts
    "bad_email": CellCode("Invalid email format", "Write one address, as in jane@example.org."),
    "bad_phone": CellCode(
        "Invalid phone format",
        "Write the whole number, a foreign one with + and its country's code.",
    ),
    "bad_url": CellCode(
        "Invalid web address",
        "Write the whole address, with https:// in front.",
        "{label} is not a web address: {text}{hint}",
    ),
    # a row as a whole
    "broken_row": CellCode(
        "The row has more cells than the header",
        "Put quotes round texts with commas.",
        "Row has {cells} cells, the header has {headers}",
    ),
    "cut_off_row": CellCode(
        "The file ends inside the row",
        "Export the file again, and sync when it is written whole.",
        "The file ends inside this row: it has {cells}, the header has {headers}",
    ),
    "parted_row": CellCode(
        "A line break splits the row",
        "Put quotes round the text with the line break, or take the line break out.",
        "A line break splits one row into {parts} rows, and this is one of them",
    ),
    "unparted_row": CellCode(
        "The row is not split into cells as the header is",
        "Separate its cells as in the header, without quotes around the row.",
        "The row has other separators than the header, or quotes round all of it: it has {cells},"
        " the header has {headers}",
    ),
    "total_row": CellCode(
        "The row is a total, not a record",
        "Delete the row, or leave its first cell blank and the numbers out.",
        "The row is a total, not a record: {text}",
    ),
    "swallowed_rows": CellCode(
        "A quote runs over other rows",
        "Delete the quote, or close it at the end of its cell.",
        "A quote that is not closed in its cell runs over {rows}",
    ),
    "torn_quote": CellCode(
        "A quote is not closed properly",
        "Close it at the end of its cell; a quote inside a quoted cell is written twice.",
    ),
    "odd_record": CellCode(
        "The record is not as Cliniko documents it",
        "Open the record in Cliniko and save it; if that does not help, tell the developers.",
        "{what} is not as Cliniko documents it",
    ),
    "nameless_record": CellCode(
        "Cliniko names no id of the record",
        "Sync again; if it happens again, tell the developers.",
        "Cliniko names no id of one of the {what}",
    ),
    "out_of_order": CellCode(
        "Two cells contradict each other",
        "Correct one of the two cells.",
        "{label} must {relation} {other}",
    ),
    "other_currency": CellCode(
        "The currency beside the amount contradicts the row",
        "Correct the currency, or write the amount without it.",
        "{label} is {text}, but {other}",
    ),
    "rule": CellCode(  # of rows that are skipped; the reason is declared with the rule
        "A rule leaves the row out", "Nothing: the rule wants it so.", "{reason}"
    ),
    # a row beside the others
    "repeated_key": CellCode(
        "Duplicate of an earlier row",
        "Delete one of the two rows.",
        "Duplicate of row {row}: {key}",
    ),
    "looks_like_another": CellCode(
        "The key looks like another one",
        "Type the key again, in the same alphabet as the others.",
        "{key} looks like {other}, but is written in letters of another alphabet",
    ),
    "zeros_lost": CellCode(
        "A program has changed the zeros of the key",
        "Format the column as plain text, and type the key again.",
        "{key} is not known, but {other} is, and is in no row: only zeros differ",
    ),
    "not_unique": CellCode(
        "Another record holds the same value",
        "Give each record its own.",
        "{label} already exists",
    ),
    "ambiguous_cell": CellCode(
        "Another cell of the column is written in another way",
        "Write the whole column in one way; an administrator can set the source's locale to it.",
        "{label} is ambiguous{readings}: {cell} shows {shows}",
    ),
    "unknown_reference": CellCode(
        "It refers to a record that does not exist",
        "Correct the cell, or sync the record it names first.",
        "{reference} does not exist{hint}",
    ),
    "parent_failed": CellCode(
        "The record it belongs to failed",
        "Fix the row that it names.",
        "{reference} failed (row {row})",
    ),
    # a record that an undo cannot bring back
    "changed_since": CellCode(
        "It was changed since",
        "Nothing: it stays as it is now. If it should not, correct it in the source.",
        "{label} was changed since",
    ),
    "removed_since": CellCode("It was removed since", "Nothing: it stays as it is now."),
    "gone_since": CellCode("It is no longer there", "Nothing: it stays as it is now."),
    "back_since": CellCode("It has come back since", "Nothing: it stays as it is now."),
    "values_dropped": CellCode(
        "Its former values were deleted",
        "Enter them in the source, if they are still known.",
    ),
    "referred_to": CellCode(
        "Other records refer to it", "Remove those first.", "Some {table} refer to it"
    ),
}


def sentence(code: str, **facts: object) -> str:
    """Return what a code says of one cell."""
    return CELL_CODES[code].sentence.format(**facts)


def unquoted(code: str, **facts: object) -> str:
    """Return what a code says of one cell whose value is hidden."""
    return CELL_CODES[code].unquoted.format(**facts)
