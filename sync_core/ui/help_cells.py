"""The part of Help about cells: what may stand in a sheet, by the kind of its columns."""

import pandas as pd
import streamlit as st

from sync_core.catalogue.fields.guide import GUIDES, Guide
from sync_core.catalogue.fields.placeholders import PLACEHOLDERS
from sync_core.ui.parts.words import literal

RULES = """
- **What counts is what people see.** A number under a cell counts with its format: a date is no
  price, a percentage no time of day. What a cell hides, such as a time of day under a date or
  further decimals of a price, is named, and the row fails.
- **A column is written in one way.** Where one cell can only be read in another way than the
  source's locale says, such as 31/12/2024 where the month comes first, the cells that would then
  mean something else are refused. Set the locale of the source, or write dates as 2026-04-03.
- **Words for nothing** count as a blank cell, where it may be blank: {placeholders}.
- **A blank cell clears the value.** A blank yes or no of a record that is known keeps what it was.
- **A row** with nothing but a checkbox, a choice or a currency is blank, and so are rows
  without key and name that are all alike.
- **Errors of a formula** fail the row, in every language and of every spreadsheet, and so does a
  column that is too narrow to show its cells.
"""


def show() -> None:
    """Show what may stand in a cell, and what holds for all cells."""
    st.caption("The examples are of a source without a locale, of a clinic group in Australia.")
    cells = pd.DataFrame(list(map(_row, GUIDES)), columns=["Cell", "Takes", "Read as", "Refused"])
    st.table(cells, border="horizontal", hide_index=True, alt="What a cell may hold")
    st.header("What holds for all cells", anchor=False)
    st.markdown(RULES.format(placeholders=", ".join(map(_code, PLACEHOLDERS))))


def _row(guide: Guide) -> tuple[str, str, str, str]:
    read = ", ".join(f"{_code(typed)} as {_code(value)}" for typed, value in guide.read.items())
    return f"**{guide.title}**", literal(guide.takes), read, ", ".join(map(_code, guide.refused))


def _code(text: str) -> str:
    """Write a cell as it is typed; a blank that does not break shows as one that does."""
    return f"`{text}`".replace("\N{NO-BREAK SPACE}", " ")
