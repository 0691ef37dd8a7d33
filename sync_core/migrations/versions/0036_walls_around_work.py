"""What hangs on a run or a batch stands behind its wall, too.

Nothing is altered here: every `syncdesk migrate` puts up the walls that are missing
(`foundation.walls`), and a new revision makes an installation run it.
"""

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
