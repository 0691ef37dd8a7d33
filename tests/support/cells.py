"""What the tests of fields share: one field of each kind, what people type, and how to read it."""

from collections.abc import Sequence
from datetime import date

import polars as pl
from hypothesis import strategies as st

from sync_core.catalogue.fields import (
    Cell,
    Choice,
    Convention,
    Currency,
    Date,
    Email,
    Field,
    Integer,
    Moment,
    Money,
    Number,
    Phone,
    Text,
    Time,
    Url,
    YesNo,
    clean,
)

EMPLOYMENT = Choice(
    "Employment type",
    options=("Full time", "Part time", "Contract", "FLAT"),
    synonyms={"FT": "Full time"},
)
LATITUDE = Number("Latitude", minimum=-90, maximum=90)
SESSIONS = Integer("Sessions", minimum=0, maximum=100)

FIELDS: tuple[Field, ...] = (
    Text("Name"),
    Text("Code", key=True),
    Integer("Steps"),
    SESSIONS,
    Number("Weight"),
    LATITUDE,
    Money("Hourly rate"),
    Date("Opened on"),
    Time("Start"),
    Email("Email"),
    Phone("Phone"),
    EMPLOYMENT,
    YesNo("Active", default=True),
    Url("Website"),
    Currency("Currency"),
    Moment("Starts at"),
)
COUNTING = tuple(field for field in FIELDS if field.reads_numbers)
HERE = Convention()
CONVENTIONS = (
    HERE,
    Convention("AU", "en_AU"),
    Convention("US", "en_US"),
    Convention("DE", "de_DE"),
    Convention("FR", "fr_FR"),
    Convention("CH", "de_CH"),
    Convention("IN", "en_IN"),
    Convention("SE", "sv_SE"),
    Convention("FI", "fi_FI"),
    Convention("BR", "pt_BR"),
)
ERRORS = (
    "#REF! #N/A #VALUE! #DIV/0! #NAME? #NUM! #NULL! #ERROR! Loading... #SPILL! #CALC! #FIELD!"
    " #BLOCKED! #CONNECT! #BUSY! #UNKNOWN! #GETTING_DATA #NV #BEZUG! #WERT! #ZAHL! #VALEUR! #NOM?"
    " #\u00a1REF! #\u00a1VALOR! #\u00bfNOMBRE? #N/D #I/T #SAKNAS! #PUUTTUU! #HI\u00c1NYZIK #YOK"
    " #\u0417\u041d\u0410\u0427! #\u041d/\u0414 #Name? #Error Err:502 Fehler:508"
).split()

Answer = tuple[str | None, str | None]


def answers(
    field: Field,
    texts: Sequence[str | None],
    convention: Convention = HERE,
    numbers: Sequence[float | None] | None = None,
    formats: Sequence[str | None] | None = None,
) -> list[Answer]:
    """Read cells as the engine does: cleaned, as columns, value and code in one lazy query."""
    frame = pl.DataFrame([clean(pl.Series("text", texts, pl.String))])
    cell = Cell(pl.col("text"))
    if numbers is not None:
        frame = frame.with_columns(
            pl.Series("number", numbers, pl.Float64),
            pl.Series("format", formats or [None] * len(numbers), pl.String),
        )
        cell = Cell(pl.col("text"), pl.col("number"), pl.col("format"))
    reading = field.read(cell, convention)
    return frame.lazy().select(value=reading.value, code=reading.code).collect().rows()


def checkboxes(
    field: Field,
    texts: Sequence[str | None],
    truths: Sequence[bool | None],
    convention: Convention = HERE,
) -> list[Answer]:
    """Read cells that have truth values under them."""
    cleaned = clean(pl.Series("text", texts, pl.String))
    frame = pl.DataFrame([cleaned, pl.Series("truth", truths, pl.Boolean)])
    reading = field.read(Cell(pl.col("text"), boolean=pl.col("truth")), convention)
    return frame.lazy().select(value=reading.value, code=reading.code).collect().rows()


def answer(
    field: Field,
    text: str | None,
    locale: str | None = None,
    number: float | None = None,
    form: str | None = None,
) -> str | None:
    """Return the value of one cell, or its code in brackets."""
    ((value, code),) = answers(field, [text], Convention(locale=locale), [number], [form])
    assert value is None or code is None
    return value if code is None else f"({code})"


ODD = st.text("0123456789.,-/:+() $%eE'#apmxTZ\u00a0\u200b\u2212\u20ac\u20e3é\x00\n")
DATES = st.dates(date(1, 1, 1)).map(str)
TYPED = st.one_of(
    st.text(),
    ODD,
    DATES,
    st.emails(),
    st.integers().map(str),
    st.decimals().map(str),
    st.floats().map(str),
    st.times().map(str),
    st.datetimes(timezones=st.none() | st.timezones()).map(lambda moment: moment.isoformat()),
    st.sampled_from([*EMPLOYMENT.options, "yes", "no", "AUD", "https://example.org/", *ERRORS]),
    st.from_regex(r"\+?[0-9]{2,3}[ -]?[0-9]{3}[ -]?[0-9]{3,4}( ext ?[0-9]{2})?", fullmatch=True),
    st.from_regex(r"[0-9]{1,2}[-/. ]([0-9]{1,2}|Apr|May)[-/. ][0-9]{2,4}", fullmatch=True),
    st.from_regex(r"-?[$(]?[0-9]{1,3}([ ,.'][0-9]{3}){0,2}([,.][0-9]{1,3})?[)%]?", fullmatch=True),
)
