"""A page of rows, judged a column at a time, in the form in which it goes to staging."""

import dataclasses
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from sync_core.catalogue import cell_codes
from sync_core.catalogue.cell_address import address
from sync_core.catalogue.fields import Cell, Convention, Field, NumberCell, YesNo, clean
from sync_core.catalogue.fields.cells import damaged as damaged_cells
from sync_core.catalogue.issue import Issue
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page, RowFault
from sync_core.engine.headers import Columns
from sync_core.engine.listing import NAMED
from sync_core.engine.observations import Observations, Sign
from sync_core.engine.validate import row_rules
from sync_core.engine.validate.row_rules import RULE, WITHDRAWN
from sync_core.records import privacy
from sync_core.records.privacy import Place

ROW, ISSUES, RAW, MARKS = "row_number", "_issues", "_raw", "_marks"
DELIMITER, QUOTE = "\x1f", "\x01"  # of a page for COPY; no text of it holds either
Format = Literal["text", "csv"]  # of COPY
REASONS = pl.Schema({ROW: pl.Int64, ISSUES: pl.String, RAW: pl.String})


def page_columns(entity: Entity) -> list[str]:
    """Return the columns of an entity's validated pages, in their order."""
    return [ROW, *(field.column for field in entity.fields), RULE, MARKS, ISSUES, RAW]


@dataclass(frozen=True)
class ValidatedPage:
    """A page as it goes to staging.

    `frame` has `row_number`, one String column a field in the form Postgres reads, the name
    `_rule`, the `_marks` (see `marked`), and the JSON texts `_issues` and `_raw` of the rows that
    carry any.
    """

    frame: pl.DataFrame
    blank: int
    keyless: int  # rows whose key cannot be read
    reasons: bool  # whether rows carry issues, or a rule's skip
    observed: Observations

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
        page = self._without_totals(page, cells)
        filled = cells.filter(self._is_filled(page))
        lazily = filled.lazy().select(ROW, "place", *self._readings(page))
        rule = _unless(row_rules.rule(self.entity), list(page.broken))
        if page.gone:
            rule = row_rules.withdrawn(pl.col(ROW).is_in(list(page.gone)), rule)
        lazily = lazily.with_columns(*self._contradictions(), rule, self._marks(page))
        read = lazily.collect(engine="in-memory")  # shares the values; streaming would not
        signs: dict[str, Sign] = {}
        reasons = pl.DataFrame(list(self._reasons(page, read, signs)), REASONS, orient="row")
        fields = [field.column for field in self.entity.fields]
        frame = read.select(ROW, *fields, RULE, MARKS)
        frame = frame.join(reasons, ROW, "left", maintain_order="left")
        frame = frame.select(page_columns(self.entity))
        keys = frame.select(field.column for field in self.entity.keys).drop_nulls()
        self.seen.append(keys.hash_rows())
        return ValidatedPage(
            frame=frame,
            blank=cells.height - filled.height,
            keyless=frame.height - keys.height + sum(f.others for f in page.broken.values()),
            reasons=not reasons.is_empty(),
            observed=self._observed(page, cells, read, signs),
        )

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
        under = [
            column for field, index in self.columns.fields for column in _under(page, field, index)
        ]
        rows = pl.Series(ROW, page.rows, pl.Int64)
        return pl.DataFrame([rows, *texts, *under]).with_row_index("place")

    def _without_totals(self, page: Page, cells: pl.DataFrame) -> Page:
        """Return the page with the rows as broken that are totals."""
        found = {
            page.rows[place]: RowFault("total_row", {"text": f"'{word}'"}, sure=len(page.texts))
            for place, word in row_rules.totals(self.entity, cells)
        }
        return dataclasses.replace(page, broken={**found, **page.broken}) if found else page

    def _is_filled(self, page: Page) -> pl.Expr:
        filled = row_rules.is_filled(self.entity)
        return filled | pl.col(ROW).is_in(list(page.broken)) if page.broken else filled

    def _readings(self, page: Page) -> Iterator[pl.Expr]:
        for field, index in self.columns.fields:
            text = pl.col(field.label)
            reading = field.read(_cell(page, field, index), self.convention)
            code = reading.code
            if field.required or field.key:
                code = pl.when(text.is_null()).then(pl.lit("required")).otherwise(code)
            yield _unless(reading.value.alias(field.column), _unsure(page, index))
            yield code.alias(_code(field))
            if (mark := self._mark(page, field, index)) is not None:
                yield mark.alias(_of(MARKS, field.label))
        yield from row_rules.kept_texts(self.entity)

    def _mark(self, page: Page, field: Field, index: int) -> pl.Expr | None:
        """Return whether only the whole sheet, or the table, tells what a cell means.

        It may mean something else if people wrote otherwise, or it is blank and has a default.
        """
        cell = _cell(page, field, index)
        if isinstance(field, YesNo) and field.default is not None:
            return cell.text.is_null()
        return field.doubtful(cell, self.convention)

    def _marks(self, page: Page) -> pl.Expr:
        """Return one number of the marks of a row: bit i is that of field i; null for none."""
        marked = [
            pl.col(_of(MARKS, field.label)).cast(pl.Int64) * (1 << place)
            for place, (field, index) in enumerate(self.columns.fields)
            if self._mark(page, field, index) is not None
        ]
        marks = pl.sum_horizontal(marked) if marked else pl.lit(0, pl.Int64)
        return pl.when(marks != 0).then(marks).alias(MARKS)

    def _observed(
        self, page: Page, cells: pl.DataFrame, read: pl.DataFrame, signs: Mapping[str, Sign]
    ) -> Observations:
        """Return what the page shows of the whole sheet."""
        damaged = sorted(
            (page.rows[place], index)
            for field, index in self.columns.fields
            if index not in page.tidy
            for place in damaged_cells(cells[field.label])
        )
        return Observations(
            rows=read.height,
            filled={
                field.label: _filled(field, read, _unsure(page, index))
                for field, index in self.columns.fields
            },
            signs=signs,
            damaged=len(damaged),
            damaged_cells=[address(self.title, *cell) for cell in damaged[:NAMED]],
            keys_beyond_ascii=any(
                _is_beyond_ascii(read[field.column]) for field in self.entity.keys
            ),
            keys_of_digits=bool(
                read[self.entity.keys[0].column].str.contains(r"^[0-9]+(?:[.]0)?$").any()
            ),
        )

    def _contradictions(self) -> Iterator[pl.Expr]:
        """Return what other cells of a row say against a cell, by the code that names it."""
        for label, broken in row_rules.out_of_order(self.entity).items():
            yield broken.alias(_of("out_of_order", label))
        for label, other in row_rules.other_currencies(self.entity, self.convention).items():
            yield other.alias(_of("other_currency", label))

    def _reasons(
        self, page: Page, read: pl.DataFrame, signs: dict[str, Sign]
    ) -> Iterator[tuple[int, str | None, str | None]]:
        """Return row number, issues and raw cells of the rows that are skipped or wrong.

        What refused cells show of how people write is added to `signs`.
        """
        codes = [_code(field) for field in self.entity.fields]
        codes += [one.meta.output_name() for one in self._contradictions()]
        carries = pl.any_horizontal(pl.col(RULE, *codes).is_not_null())
        if page.broken:
            carries |= pl.col(ROW).is_in(list(page.broken))
        withdrawn = pl.col(RULE).eq_missing(pl.lit(WITHDRAWN))  # it says all that there is to say
        for row in read.filter(carries & ~withdrawn).iter_rows(named=True):
            issues = None
            if not row[RULE]:
                issues = json.dumps([issue.as_json() for issue in self._issues(page, row, signs)])
            yield row[ROW], issues, json.dumps(self._raw(page, row[ROW], row["place"]))

    def _issues(
        self, page: Page, row: Mapping[str, Any], signs: dict[str, Sign]
    ) -> Iterator[Issue]:
        hidden = False
        if fault := page.broken.get(row[ROW]):
            sentence = cell_codes.sentence(fault.code, **fault.facts)
            hidden = bool(privacy.hidden(self.entity, Place.LOG))  # any of them may stand anywhere
            yield Issue(fault.field, fault.code, sentence, address(self.title, row[ROW], 0))
        for field, index in self.columns.fields:
            if fault and index >= fault.sure:
                continue
            cell = address(self.title, row[ROW], index)
            text = str(page.texts[index][row["place"]] or "").strip()
            if code := row[_code(field)]:
                if (row[ROW], index) in page.uncalculated:
                    code = "not_calculated"
                under = _number_cell(page, index, row["place"], text)
                sentence = field.explain(code, text, self.convention, under, hidden=hidden)
                yield Issue(field.label, code, sentence, cell)
                if under is None and not hidden and field.label not in signs:
                    signs |= self._sign(field, text, cell)
            if broken := row.get(_of("out_of_order", field.label)):
                yield Issue(field.label, "out_of_order", broken, cell)
            if other := row.get(_of("other_currency", field.label)):
                sentence = field.explain(
                    "other_currency", text, self.convention, hidden=hidden, other=other
                )
                yield Issue(field.label, "other_currency", sentence, cell)

    def _sign(self, field: Field, text: str, cell: str) -> dict[str, Sign]:
        shows = field.shows(text, self.convention)
        return {field.label: Sign(cell, shows)} if shows else {}

    def _raw(self, page: Page, row: int, place: int) -> dict[str, str]:
        """Return the cells of a row as they were read, under their headers.

        Only those of declared columns: nobody asked for what stands in others. Where the cells of
        a row may be shifted, one of theirs may stand in any column, unless there are none.
        """
        headers = self.columns.headers
        fault = page.broken.get(row)
        sure = fault.sure if fault and len(self.columns.fields) < len(headers) else len(headers)
        cells = ((headers[i], page.texts[i][place]) for _, i in self.columns.fields if i < sure)
        return {
            header: str(text).replace("\0", "\N{REPLACEMENT CHARACTER}")  # jsonb keeps no NUL
            for header, text in cells
            if text is not None
        }


def _under(page: Page, field: Field, index: int) -> Iterator[pl.Series]:
    """Return what is under the cells of a column: its numbers, their formats, and truth values."""
    if index in page.numbers:
        numbers = pl.Series(_number(field), page.numbers[index], pl.Float64)
        formats = page.formats.get(index, [None] * len(numbers))
        yield from (numbers, pl.Series(_format(field), formats, pl.String))
    if index in page.booleans:
        yield pl.Series(_boolean(field), page.booleans[index], pl.Boolean)


def _cell(page: Page, field: Field, index: int) -> Cell:
    counted, judged = index in page.numbers, index in page.booleans
    return Cell(
        text=pl.col(field.label),
        number=pl.col(_number(field)) if counted else None,
        format=pl.col(_format(field)) if counted else None,
        boolean=pl.col(_boolean(field)) if judged else None,
    )


def _number_cell(page: Page, index: int, place: int, text: str) -> NumberCell | None:
    number = page.numbers[index][place] if index in page.numbers else None
    form = page.formats[index][place] if index in page.formats else None
    return None if number is None else NumberCell(number, text, form)


def _unsure(page: Page, index: int) -> list[int]:
    """Return the rows whose cell in a column may be that of another one."""
    return [row for row, fault in page.broken.items() if index >= fault.sure]


def _filled(field: Field, read: pl.DataFrame, unsure: Sequence[int]) -> int:
    """Count the cells of a column that hold something, be it wrong, or nobody knows what."""
    if _of(MARKS, field.label) in read and isinstance(field, YesNo):
        blank = read[_of(MARKS, field.label)]
    else:
        value, wrong = read[field.column], read[_code(field)]
        if not unsure and wrong.null_count() == read.height:  # as a rule: no look at each cell
            return read.height - value.null_count()
        blank = value.is_null() & (wrong.is_null() | (wrong == "required"))
    if unsure:
        blank &= ~read[ROW].is_in(unsure)
    return read.height - int(blank.sum())


def _is_beyond_ascii(texts: pl.Series) -> bool:
    return bool(texts.str.len_bytes().sum() != texts.str.len_chars().sum())


def _csv(frame: pl.DataFrame, quotes: Literal["never", "necessary"]) -> bytes:
    text = io.BytesIO()
    frame.write_csv(
        text, include_header=False, separator=DELIMITER, quote_char=QUOTE, quote_style=quotes
    )
    return text.getvalue()  # shares the bytes


def _unless(value: pl.Expr, rows: Sequence[int]) -> pl.Expr:
    """Return a column's values, null in these rows."""
    if not rows:
        return value
    return pl.when(~pl.col(ROW).is_in(rows)).then(value).alias(value.meta.output_name())


def _of(code: str, label: str) -> str:
    return f"{code} of {label}"


def _code(field: Field) -> str:
    return f"code of {field.label}"


def _number(field: Field) -> str:
    return f"number of {field.label}"


def _format(field: Field) -> str:
    return f"format of {field.label}"


def _boolean(field: Field) -> str:
    return f"truth of {field.label}"
