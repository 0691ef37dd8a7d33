"""What the machine and its servers cannot do at the moment."""

from sync_core.foundation.errors.entry import Entry

OF_THE_MACHINE: dict[str, Entry] = {
    "no_live_progress": Entry(
        "Live progress is unavailable; the sync continues.",
        "Try again soon. The end of the sync is shown as always.",
        "administrator",
        retry=True,
    ),
    "database_crowded": Entry(
        "The database has too many connections.",
        "It continues by itself as soon as some are free; an administrator can allow it more.",
        "administrator",
        retry=True,
    ),
    "database_down": Entry(
        "The database does not answer.",
        "It comes back by itself, or an administrator restarts it.",
        "administrator",
        retry=True,
    ),
    "no_worker": Entry(
        "Run {run} waits: no worker can be started.",
        "Start one by hand, and read what it says.",
        "administrator",
    ),
    "owner_is_no_member": Entry(
        "The role {owner}, which migrates, may not act for the program's role {program}.",
        "Run GRANT {program} TO {owner} in Postgres, then migrate again.",
        "administrator",
    ),
    "needs_migration": Entry(
        "The database is not at the newest version.",
        "Bring it up to date, then start the program again.",
        "administrator",
    ),
    "program_outdated": Entry(
        "The database is of a newer version than this program.",
        "Install the newer version of the program, then start it again.",
        "administrator",
    ),
    "no_version": Entry(
        "The database has tables of this program, and does not say of which version.",
        "Somebody has changed the table alembic_version: write the version of the tables there, or"
        " restore a backup.",
        "administrator",
    ),
    "several_versions": Entry(
        "The database says that it is of several versions at once ({versions}).",
        "Somebody has changed the table alembic_version: keep the row of the version whose tables"
        " are there, or restore a backup.",
        "administrator",
    ),
}
