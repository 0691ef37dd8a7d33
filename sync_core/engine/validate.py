"""Validate a page of rows in memory, a column at a time: a record, or issues, or a rule's skip."""

import dataclasses
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from sync_core.catalogue import cell_codes
from sync_core.catalogue.fields import Cell, Convention, Field, clean
from sync_core.catalogue.issue import Issue
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.engine import headers
from sync_core.engine.headers import Columns
from sync_core.records import privacy
from sync_core.records.privacy import Place

ROW, RULE, ISSUES, RAW = "row_number", "_rule", "_issues", "_raw"
WITHDRAWN = "withdrawn"  # the rule of a row that tells that its record is gone
DELIMITER, QUOTE = "\x1f", "\x01"  # of a page for COPY; no text of it holds either
Format = Literal["text", "csv"]  # of COPY
REASONS = pl.Schema({ROW: pl.Int64, ISSUES: pl.String, RAW: pl.String})


@dataclass(frozen=True)
class ValidatedPage:
    """A page as it goes to staging.

    `frame` has `row_number`, one String column a field in the form Postgres reads, the name
    `_rule`, and the JSON texts `_issues` and `_raw` of the rows that carry any.
    """

    frame: pl.DataFrame
    blank: int
    keyless: int  # rows whose key cannot be read
    reasons: bool  # whether rows carry issues, or a rule's skip

    def for_copy(self) -> tuple[Format, bytes]:
        """Write the frame for COPY; a null is nothing, and no text is empty.

        Postgres reads its text format faster than CSV, but there a backslash and a line break mean
        something: pages that hold one go as CSV. Fields refuse other control characters.
        """
        quick = _csv(self.frame, "never")
        if b"\\" in quick or b"\r" in quick or quick.count(b"\n") > self.frame.height:
            return "csv", _csv(self.frame, "necessary")
        return "text", quick


@dataclass(frozen=True)
class Validator:
    """All that the rows of one sheet are validated by."""

    entity: Entity
    columns: Columns
    convention: Convention
    title: str  # of the sheet, for the addresses of cells
    seen: list[pl.Series] = dataclasses.field(default_factory=list)  # hashes of all keys

    def __call__(self, page: Page) -> ValidatedPage:
        """Validate the rows of a page; blank ones are only counted."""
        cells = self._cells(page)
        filled = cells.filter(self._is_filled(page))
        lazily = filled.lazy().select(ROW, "place", *self._readings(page))
        lazily = lazily.with_columns(*self._order_codes(), self._rule())
        read = lazily.collect(engine="in-memory")  # shares the values; streaming would not
        reasons = pl.DataFrame(list(self._reasons(page, read)), REASONS, orient="row")
        fields = [field.column for field in self.entity.fields]
        frame = read.select(ROW, *fields, RULE).join(reasons, ROW, "left", maintain_order="left")
        keys = frame.select(field.column for field in self.entity.keys).drop_nulls()
        self.seen.append(keys.hash_rows())
        blank, keyless = cells.height - filled.height, frame.height - keys.height
        return ValidatedPage(frame, blank, keyless, not reasons.is_empty())

    def keys_may_repeat(self) -> bool:
        """Return whether two rows may have one key; where no two hashes are equal, none do."""
        hashes = pl.concat([pl.Series(dtype=pl.UInt64), *self.seen])
        return hashes.n_unique() < len(hashes)

    def _cells(self, page: Page) -> pl.DataFrame:
        """Return the cleaned texts of the fields' columns, and the numbers that were asked for."""
        texts = [
            clean(pl.Series(field.label, page.texts[index], pl.String), tidy=index in page.tidy)
            for field, index in self.columns.fields
        ]
        numbers = [
            pl.Series(f"number of {field.label}", page.numbers[index], pl.Float64)
            for field, index in self.columns.fields
            if index in page.numbers
        ]
        rows = pl.Series(ROW, page.rows, pl.Int64)
        return pl.DataFrame([rows, *texts, *numbers]).with_row_index("place")

    def _is_filled(self, page: Page) -> pl.Expr:
        """Return whether a row is no blank one: only the cells of our fields count."""
        filled = pl.any_horizontal(
            pl.col(field.label).is_not_null() for field in self.entity.fields
        )
        return filled | pl.col(ROW).is_in(list(page.broken)) if page.broken else filled

    def _readings(self, page: Page) -> Iterator[pl.Expr]:
        for field, index in self.columns.fields:
            text = pl.col(field.label)
            number = pl.col(f"number of {field.label}") if index in page.numbers else None
            reading = field.read(Cell(text, number), self.convention)
            code = reading.code
            if field.required or field.key:
                code = pl.when(text.is_null()).then(pl.lit("required")).otherwise(code)
            yield reading.value.alias(field.column)
            yield code.alias(_code(field))

    def _order_codes(self) -> Iterator[pl.Expr]:
        columns = {field.label: field.column for field in self.entity.fields}
        for order in self.entity.orders:
            later, earlier = pl.col(columns[order.label]), pl.col(columns[order.than])
            wrong = (later < earlier) if order.or_equal else (later <= earlier)
            yield pl.when(wrong).then(pl.lit(order.sentence)).alias(f"order of {order.label}")

    def _rule(self) -> pl.Expr:
        columns = {field.label: field.column for field in self.entity.fields}
        rules = [
            pl.when(pl.col(field.column).is_not_null()).then(pl.lit(WITHDRAWN))
            for field in self.entity.withdraws
        ]
        rules += [
            pl.when(pl.col(columns[skip.label]) == skip.value).then(pl.lit(skip.name))
            for skip in self.entity.skips
        ]
        return (pl.coalesce(rules) if rules else pl.lit(None, pl.String)).alias(RULE)

    def _reasons(
        self, page: Page, read: pl.DataFrame
    ) -> Iterator[tuple[int, str | None, str | None]]:
        """Return row number, issues and raw cells of the rows that are skipped or wrong."""
        codes = [_code(field) for field in self.entity.fields]
        orders = [f"order of {order.label}" for order in self.entity.orders]
        carries = pl.any_horizontal(pl.col(RULE, *codes, *orders).is_not_null())
        if page.broken:
            carries |= pl.col(ROW).is_in(list(page.broken))
        withdrawn = pl.col(RULE).eq_missing(pl.lit(WITHDRAWN))  # it says all that there is to say
        for row in read.filter(carries & ~withdrawn).iter_rows(named=True):
            issues = None
            if not row[RULE]:
                issues = json.dumps([issue.as_json() for issue in self._issues(page, row)])
            yield row[ROW], issues, json.dumps(self._raw(page, row["place"]))

    def _issues(self, page: Page, row: Mapping[str, Any]) -> Iterator[Issue]:
        hidden = False
        if cells := page.broken.get(row[ROW]):
            width = len(self.columns.headers)
            sentence = cell_codes.sentence("broken_row", cells=cells, headers=width)
            hidden = bool(privacy.hidden(self.entity, Place.LOG))  # any of them may stand anywhere
            yield Issue("", "broken_row", sentence, headers.address(self.title, row[ROW], 0))
        for field, index in self.columns.fields:
            cell = headers.address(self.title, row[ROW], index)
            if code := row[_code(field)]:
                text = str(page.texts[index][row["place"]] or "").strip()
                sentence = field.explain(code, text, self.convention, hidden=hidden)
                yield Issue(field.label, code, sentence, cell)
            if broken_order := row.get(f"order of {field.label}"):
                yield Issue(field.label, "out_of_order", broken_order, cell)

    def _raw(self, page: Page, place: int) -> dict[str, str]:
        """Return the cells of a row as they were read, under their headers."""
        cells = ((header, page.texts[i][place]) for i, header in enumerate(self.columns.headers))
        return {
            header: str(text).replace("\0", "\N{REPLACEMENT CHARACTER}")  # jsonb keeps no NUL
            for header, text in cells
            if header and text is not None
        }


def _csv(frame: pl.DataFrame, quotes: Literal["never", "necessary"]) -> bytes:
    text = io.BytesIO()
    frame.write_csv(
        text, include_header=False, separator=DELIMITER, quote_char=QUOTE, quote_style=quotes
    )
    return text.getvalue()  # shares the bytes


def _code(field: Field) -> str:
    return f"code of {field.label}"
