"""When two keys are nearly the same, in the SQL of Postgres, and what a label may quote of one."""

from collections.abc import Sequence

from psycopg import sql

from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity
from sync_core.engine.statements import Scope, shifted
from sync_core.records import privacy
from sync_core.records.privacy import Place

OTHER_ALPHABETS = "авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"  # Cyrillic, Greek
LOOK_LIKE = 2 * "abekmhopctyxijs" + 2 * "abezhikmnoptyx"  # what their capitals look like


def keys_known(scope: Scope, parent: Entity) -> sql.Composed:
    """Return the SQL of the keys that references may name."""
    key = sql.Identifier(parent.keys[0].column)
    known = sql.SQL(
        "select t.{} as key from {} t where t.organization_id = {} and t._removed_at is null"
    ).format(key, sql.Identifier(parent.name), scope.names["org"])
    if parent not in (*scope.together, scope.entity):
        return known
    read = sql.SQL(" union select r.{} from {} r").format(key, scope.of(parent).names["rows"])
    return known + read


def folded(key: sql.Composable) -> sql.Composed:
    """Return the SQL of a bare key in which letters of all alphabets that look alike are one."""
    return bare(alike(key))


def alike(key: sql.Composable) -> sql.Composed:
    """Return the SQL of a key in small letters, those that look alike all in one alphabet."""
    return sql.SQL("translate(lower(normalize({}, nfkc)), {}, {})").format(
        key, sql.Literal(OTHER_ALPHABETS), sql.Literal(LOOK_LIKE)
    )


def bare(key: sql.Composable) -> sql.Composed:
    """Return the SQL of a key without capitals, blanks, marks, and zeros in front of numbers."""
    zeros = sql.SQL("regexp_replace(lower({}), '(^|[^0-9])0+([0-9])', '\\1\\2', 'g')").format(key)
    bare = sql.SQL("regexp_replace({}, '[^[:alnum:]]+', '', 'g')").format(zeros)
    return sql.SQL("ltrim({}, '0')").format(bare)


def quoting(
    entity: Entity, label: str, fields: Sequence[Field], cell: sql.Composable
) -> sql.Composed:
    """Return the SQL of a label with what its cell in `s` holds, where everybody may read that."""
    hidden = privacy.hidden(entity, Place.LOG)
    alone = sql.SQL("{}::text").format(sql.Literal(label))
    both = sql.SQL("{} || {}::text").format(sql.Literal(f"{label} "), cell)
    if not hidden:
        return both
    if set(fields) & set(hidden):
        return alone
    return sql.SQL("case when {} then {} else {} end").format(
        shifted(sql.Identifier("s", "_issues")), alone, both
    )
