"""What can go wrong with a run, once its source can be read."""

from sync_core.foundation.errors.entry import OWNER, Entry

OF_RUNS: dict[str, Entry] = {
    "missing_column": Entry(
        "Column '{label}' is missing.{hint}",
        "Put the header back into the first row of '{sheet}'.",
        OWNER,
    ),
    "no_label": Entry(
        "{name} has no header of {table}: its row {row} {holds}.",
        "Put the labels of the columns, '{label}' and so on, above the data of '{sheet}'.",
        OWNER,
    ),
    "unparted_header": Entry(
        "The header in row {row} of {name} is not split into cells{quoted}.",
        "Put each label into a cell of its own: commas, semicolons, tabs or | separate the cells "
        "of a CSV, without quotes around the row.",
        OWNER,
    ),
    "repeated_column": Entry(
        "Column '{label}' is there twice: {cells}.",
        "Rename or delete one of the two columns.",
        OWNER,
    ),
    "unknown_locale": Entry(
        "'{sheet}' is written in the locale {locale}, which is not known.",
        "Set the source again with a locale, such as en_AU.",
        "administrator",
    ),
    "source_empty": Entry(
        "'{sheet}' has no rows, but {held} {table} are known.",
        "Check that the right sheet is set and that nobody emptied it. "
        "A sync would wait for approval.",
        OWNER,
    ),
    "target_changed": Entry(
        "Somebody changed the table {table} while the sync was saving. Nothing was changed.",
        "Sync again.",
        "analyst",
        retry=True,
    ),
    "miscounted": Entry(
        "The table {table} would hold {found} records instead of {expected}. Nothing was changed.",
        "Copy the details and tell the developers.",
        "developer",
    ),
    "timed_out": Entry(
        "It took longer than {minutes} min and was ended. Nothing was changed.",
        "Sync again at a quieter hour, or ask an administrator to allow more time.",
        "analyst",
        retry=True,
    ),
    "waited_too_long": Entry(
        "It was not finished after {minutes} min, most of which it waited for a worker, and was "
        "ended. Nothing was changed.",
        "Sync again at a quieter hour; if it happens again, ask an administrator to start more "
        "workers.",
        "analyst",
        retry=True,
    ),
    "never_begun": Entry(
        "No worker took it within {minutes} min, so it was ended. Nothing was changed.",
        "Sync again; if it happens again, ask an administrator to check that workers run, and to "
        "start more of them.",
        "analyst",
        retry=True,
    ),
    "source_silent": Entry(
        "The source gave no sign of life for {seconds} s. Nothing was changed.",
        "Check that the source can be opened, and sync again.",
        "analyst",
        retry=True,
    ),
    "probe_too_long": Entry(
        "The test was stopped: the source takes longer than {seconds} s.",
        "Preview a sync instead: a worker has the time that it needs.",
        "analyst",
    ),
    "probes_busy": Entry(
        "Other sources are being looked at right now.",
        "Try again soon.",
        "analyst",
        retry=True,
    ),
    "database_full": Entry(
        "The database has no room left, or trouble with its disk. Nothing was changed.",
        "Tell an administrator: the database's server needs care.",
        "administrator",
    ),
    "crashed": Entry(
        "It crashed {times} times and is not tried again. Nothing was changed.",
        "Copy the details and tell an administrator.",
        "administrator",
    ),
    "too_much_memory": Entry(
        "This source needs more memory than a sync may use ({limit:,} MB). Nothing was changed.",
        "Split the source, or ask the administrator of the machine to allow more memory.",
        "administrator",
    ),
    "aborted": Entry(
        "Reading this source ended the process that read it, most likely because it needs more "
        "memory than a sync may use ({limit:,} MB). Nothing was changed.",
        "Split the source, or ask the administrator of the machine to allow more memory.",
        "administrator",
    ),
    "machine_without_memory": Entry(
        "The machine had no memory left while this source was synced, and ended the sync. Nothing "
        "was changed.",
        "Split the source, or ask an administrator to give the machine more memory.",
        "administrator",
    ),
    "expired": Entry(
        "Nobody decided on the plan within {hours} h. Nothing was changed.",
        "Sync again, and decide on the new plan.",
        "analyst",
        retry=True,
    ),
    "plan_outdated": Entry(
        "The plan is out of date: {moved}. Nothing was changed.",
        "Preview, or undo, again, and confirm the new plan.",
        "analyst",
        retry=True,
    ),
    "unexpected": Entry(
        "Something unexpected happened.",
        "Try again; if it happens again, tell the developers what you did.",
        "developer",
        retry=True,
    ),
    "internal": Entry(
        "Something unexpected happened. Nothing was changed.",
        "Sync again; if it happens again, copy the details and tell the developers.",
        "developer",
        retry=True,
    ),
}
