"""What a plan is about: one entity of one run, and the SQL names of its tables and columns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from string import Formatter
from textwrap import dedent
from typing import Any

from psycopg import sql
from sqlalchemy import Connection

from sync_core.catalogue.cell_address import letters
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.fields import Field
from sync_core.catalogue.issue import Part
from sync_core.catalogue.resource import Entity
from sync_core.engine import staging
from sync_core.engine.headers import Columns
from sync_core.engine.observations import Observations
from sync_core.engine.validate import WITHDRAWN
from sync_core.foundation import db
from sync_core.foundation.vocabulary import LEFT_OUT
from sync_core.records import privacy
from sync_core.records.outcome_format import KEY_SEPARATOR
from sync_core.records.plan_format import key_column
from sync_core.records.privacy import Place
from sync_core.runs.retries import Retried


@dataclass(frozen=True)
class Scope:
    """One entity of one run, what was read of it, and the entities that it may refer to."""

    run_id: int
    organization_id: int
    entity: Entity
    columns: Columns
    title: str  # of its sheet
    staged: int = 0
    blank: int = 0
    keyless: int = 0
    reasons: bool = True  # whether rows may carry issues, or a rule's skip
    repeats: bool = True  # whether two rows may have one key
    observed: Observations = field(default_factory=Observations)
    held: int | None = None  # how many records the source says that there are
    partial: bool = False  # whether only what changed was read: what is absent is not gone
    together: tuple[Entity, ...] = ()  # of the same run, planned before this one
    known: Mapping[str, Entity] | None = None  # the catalogue
    retried: Retried | None = None  # whose failed rows alone are applied
    undoes: bool = False  # whether the plan is an earlier run's, turned round: no sheet was read

    @property
    def read(self) -> int:
        """How many rows were read, blank ones included."""
        return self.staged + self.blank

    @cached_property
    def names(self) -> dict[str, sql.Composable]:
        """Return the names that statements are written with: `s` staging, `t` target, `p` plan."""
        keys = self.entity.keys
        return {
            "rows": staging.table(self.run_id, self.entity),
            "plan": staging.table(self.run_id, self.entity, "plan"),
            "confirmed": staging.table(self.run_id, self.entity, "confirmed"),
            "findings": staging.table(self.run_id, self.entity, "findings"),
            "target": sql.Identifier(self.entity.name),
            "withdrawn": sql.Literal(WITHDRAWN),
            "left_out": sql.SQL(", ").join(map(sql.Literal, LEFT_OUT)),
            "org": sql.Literal(self.organization_id),
            "keys": sql.SQL(", ").join(sql.Identifier(f.column) for f in keys),
            "s_keys": listed("s", keys),
            "t_keys": listed("t", keys),
            "p_keys": sql.SQL(", ").join(
                sql.SQL("{} as {}").format(column("p", f), sql.Identifier(f.column)) for f in keys
            ),
            "s_as_planned": sql.SQL(", ").join(
                sql.SQL("{} as {}").format(column("s", f), sql.Identifier(key_column(f)))
                for f in keys
            ),
            "plan_keys": sql.SQL(", ").join(sql.Identifier(key_column(f)) for f in keys),
            "t_key": column("t", keys[0]),
            "s_is_t": same("s", "t", keys),
            "p_is_t": same("p", "t", keys),
            # The place in staging finds a row fastest; its number proves that it is still that row.
            "s_is_p": sql.SQL("s.ctid = p.tid and s.row_number = p.row_number"),
            "s_name": named("s", self.entity),
            "t_name": named("t", self.entity),
            # An undo brings back what a record was before; who comes back else is there again.
            "s_removed_at": sql.SQL("s._removed_at" if self.undoes else "null"),
            "p_row": sql.SQL("null::integer" if self.undoes else "p.row_number"),  # of a sheet
            "p_key": key_text("p", self.entity, KEY_SEPARATOR),
            "s_key": key_text("s", self.entity, " "),
        }

    def place(self, field: Field) -> int:
        """Return which bit of a row's marks is that of a field."""
        return [known.label for known, _ in self.columns.fields].index(field.label)

    def of(self, entity: Entity) -> "Scope":
        """Return the scope of another entity of the same run."""
        return replace(self, entity=entity)

    def statement(self, text: str, **more: sql.Composable) -> sql.Composed:
        """Return a statement about the scope, laid out as the text is."""
        return laid_out(text, **{**self.names, **more})

    def run(self, connection: Connection, text: str, **more: sql.Composable) -> int:
        """Run a statement; returns how many rows it changed."""
        return execute(connection, self.statement(text, **more))

    def ask(
        self, connection: Connection, text: str, **more: sql.Composable
    ) -> list[tuple[Any, ...]]:
        """Run a query; returns its rows."""
        cursor = db.cursor(connection)
        cursor.execute(self.statement(text, **more))
        return cursor.fetchall()

    def outcomes_of(self, run_id: int, asked: datetime, ended: datetime) -> sql.Composed:
        """Return the condition that an outcome `o` is of the entity in another run.

        The time spares Postgres the partitions of other months (`records.outcomes.within`).
        """
        return sql.SQL("o.run_id = {} and o.entity = {} and o.at between {} and {}").format(
            *map(sql.Literal, (run_id, self.entity.name, asked, ended))
        )

    def cell(self, field: Field) -> sql.Composed:
        """Return the SQL of the address of a field's cell in the row of `s`; of no sheet, null."""
        if self.undoes:
            return sql.SQL("null::text").format()
        column = {f.label: i for f, i in self.columns.fields}[field.label]
        return sql.SQL("{} || s.row_number").format(sql.Literal(f"{self.title}!{letters(column)}"))

    def issue(
        self,
        field: Field,
        code: str,
        cause: sql.Composable | None = None,
        beside: sql.Composable | None = None,
        **facts: sql.Composable,
    ) -> sql.Composed:
        """Return the SQL of an issue of the row of `s`; the facts are those of the code.

        The `cause` is the number of the row that it follows from, where it follows from one;
        `beside` says where the other one is, in a fact of its own.
        """
        about = (sql.Literal(field.label), sql.Literal(code), sentence(code, facts))
        return issue_of(*about, cell=self.cell(field), cause=cause, beside=beside)


def issue_of(
    field: sql.Composable,
    code: sql.Composable,
    said: sql.Composable,
    *,
    cell: sql.Composable | None = None,
    cause: sql.Composable | None = None,
    beside: sql.Composable | None = None,
) -> sql.Composed:
    """Return the SQL of an issue, in the form in which issues are kept."""
    parts: dict[Part, sql.Composable] = {
        "field": field,
        "code": code,
        "sentence": said,
        "cell": cell or sql.SQL("null::text"),
    }
    parts |= {"cause": cause} if cause is not None else {}
    parts |= {"beside": beside} if beside is not None else {}
    pairs = (sql.SQL("{}, {}").format(sql.Literal(name), of) for name, of in parts.items())
    return json_object(pairs)


def execute(connection: Connection, statement: sql.Composed) -> int:
    """Run a statement; returns how many rows it changed."""
    cursor = db.cursor(connection)
    cursor.execute(statement)
    return cursor.rowcount


def laid_out(text: str, **names: sql.Composable) -> sql.Composed:
    """Format a text of several lines; what is put into a line is indented as far as it is.

    So a statement that is made of others reads well, too (docs/plan_therapists.sql).
    """
    lines = [_line(line, names) for line in dedent(text).strip().split("\n")]
    return sql.SQL("\n").join(lines)


def _line(line: str, names: Mapping[str, sql.Composable]) -> sql.Composed:
    blanks = line[: len(line) - len(line.lstrip())]
    used = {name for _, name, _, _ in Formatter().parse(line) if name}
    return sql.SQL(line).format(**{name: _indented(names[name], blanks) for name in used})


def _indented(part: sql.Composable, blanks: str) -> sql.Composable:
    if isinstance(part, sql.Composed):
        return sql.Composed([_indented(one, blanks) for one in part])
    if isinstance(part, sql.SQL):
        return sql.SQL(part.as_string().replace("\n", f"\n{blanks}"))
    return part


def on_lines(parts: Iterable[sql.Composable], between: str = ",\n") -> sql.Composed:
    """Join parts of a statement, each on a line of its own."""
    return sql.SQL(between).join(parts)


def json_object(pairs: Iterable[sql.Composable]) -> sql.Composed:
    """Return the SQL of a JSON object of names and values."""
    return laid_out(
        """
        jsonb_build_object(
            {pairs}
        )
        """,
        pairs=on_lines(pairs),
    )


def sentence(code: str, facts: Mapping[str, sql.Composable]) -> sql.Composed:
    """Return the SQL of what a code says of one cell; a fact that is null is left out."""
    parts: list[sql.Composable] = []
    for text, fact, _, _ in Formatter().parse(CELL_CODES[code].sentence):
        parts += [sql.Literal(text)] if text else []
        parts += [facts[fact]] if fact else []
    return sql.SQL("concat({})").format(sql.SQL(", ").join(parts))


def column(table: str, field: Field) -> sql.Identifier:
    """Return a field's column of `s`, `t` or another table; the plan `p` has only those of keys."""
    return sql.Identifier(table, key_column(field) if table == "p" else field.column)


def listed(table: str, fields: Sequence[Field]) -> sql.Composed:
    """Return the fields' columns of a table, with commas."""
    return sql.SQL(", ").join(column(table, f) for f in fields)


def same(left: str, right: str, fields: Sequence[Field]) -> sql.Composed:
    """Return the SQL that two tables agree in these fields."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(column(left, f), column(right, f)) for f in fields
    )


def key_text(table: str, entity: Entity, separator: str) -> sql.Composed:
    """Return the SQL of a row's key as one text; null where a part is missing."""
    between = sql.SQL(" || " + sql.Literal(separator).as_string() + " || ")
    parts = [sql.SQL("{}::text").format(column(table, f)) for f in entity.keys]
    return sql.Composed(parts).join(between)


def named(table: str, entity: Entity) -> sql.Composed:
    """Return the SQL of what people call a row: its name, else its key."""
    names = [f for f in entity.fields if f.label == entity.named_by]
    key = key_text(table, entity, " ")
    if not names:
        return key
    return sql.SQL("coalesce({}, {})").format(column(table, names[0]), key)


def shifted(issues: sql.Composable) -> sql.Composed:
    """Return the SQL of whether a row's cells may stand under others' headers."""
    mark = sql.Literal(json.dumps(privacy.SHIFTED))
    return sql.SQL("coalesce({} @> {}::jsonb, false)").format(issues, mark)


def told(table: str, entity: Entity) -> sql.Composed | None:
    """Return the SQL of what a sentence calls a row, which everybody may read; None: nothing."""
    hidden = privacy.hidden(entity, Place.LOG)
    if privacy.may_be_named(entity, hidden):
        return named(table, entity)
    return key_text(table, entity, " ") if privacy.may_be_keyed(entity, hidden) else None
