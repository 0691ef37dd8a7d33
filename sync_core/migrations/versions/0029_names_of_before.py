"""Names that were taken before they had limits are cut, and lose what nobody sees of them."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

NAMES = (("organizations", "name"), ("people", "name"), ("people", "team"))
LONGEST = 80
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def upgrade() -> None:
    for table, column in NAMES:
        kept = sa.table(table, sa.column("id"), sa.column(column))
        for row in op.get_bind().execute(sa.select(kept.c.id, kept.c[column])).all():
            if (name := _plain(row[1])) != row[1]:
                change = sa.update(kept).where(kept.c.id == row[0]).values({column: name})
                op.get_bind().execute(change)


def downgrade() -> None:
    """Leave the names: what they were before is not known any more."""


def _plain(text: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    seen = "".join(c for c in name if unicodedata.category(c) not in UNSEEN and c not in BLANK)
    plain = " ".join(seen.split())[:LONGEST].rstrip()
    return plain or ("Unnamed" if text else "")
