"""Fields and Postgres agree: every value that a field reads is the database's own text for it."""

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_core.catalogue.fields import Convention, Field, Moment
from sync_core.foundation import db
from tests.support.cells import CONVENTIONS, COUNTING, FIELDS, HERE, TYPED, answers

MOMENTS = st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())
same_connection = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture]  # it is only asked, never changed
)


def cast(database: psycopg.Connection, field: Field, values: list[str]) -> list[str]:
    """Return the texts of the values as the field's column would hold them."""
    kind = field.sql_type.compile(dialect=db.engine().dialect)
    text = f"value::{kind}::text"
    if isinstance(field, Moment):  # Postgres writes it without the T and the Z of ISO 8601
        text = f"replace(replace({text}, ' ', 'T'), '+00', 'Z')"
    query = f"select {text} from unnest(%s::text[]) with ordinality as v (value, n)"
    rows = database.execute(f"{query} order by n".encode(), [values]).fetchall()
    return [text for (text,) in rows]


@same_connection
@given(
    field=st.sampled_from(FIELDS),
    texts=st.lists(TYPED | MOMENTS, max_size=20),
    convention=st.sampled_from(CONVENTIONS),
)
def test_postgres_writes_the_value_of_a_text_as_the_field_does(
    database: psycopg.Connection, field: Field, texts: list[str], convention: Convention
) -> None:
    values = [value for value, _ in answers(field, texts, convention) if value is not None]
    assert cast(database, field, values) == values


@same_connection
@given(
    field=st.sampled_from(COUNTING),
    numbers=st.lists(st.floats() | st.integers(-9, 10**7).map(lambda n: n / 100), max_size=20),
)
def test_postgres_writes_the_value_of_a_number_as_the_field_does(
    database: psycopg.Connection, field: Field, numbers: list[float]
) -> None:
    read = answers(field, [None] * len(numbers), HERE, numbers)
    values = [value for value, _ in read if value is not None]
    assert cast(database, field, values) == values
