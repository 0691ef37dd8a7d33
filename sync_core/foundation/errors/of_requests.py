"""Why something that somebody asks for is not done: a run, a setting, a schedule."""

from sync_core.foundation.errors.entry import Entry

OF_REQUESTS: dict[str, Entry] = {
    "already_running": Entry(
        "{who} started this {ago} ago.", "Follow run {run}; it is running.", "analyst"
    ),
    "cooldown": Entry(
        "The last sync of this ended a moment ago. Try again in {seconds} s.",
        "Wait a moment.",
        "analyst",
        retry=True,
    ),
    "no_permission": Entry("As {role} you may not {doing}.", "Ask {roles}.", "administrator"),
    "not_operator": Entry(
        "This is for the people who operate this program.",
        "Ask them to do it.",
        "administrator",
    ),
    "beyond_token": Entry(
        "This token may not {doing}.",
        "Use a token with the permission '{permission}', or with its whole role.",
        "administrator",
    ),
    "beyond_role": Entry(
        "The role {role} has no permission to {doing}.",
        "Choose permissions that the role has, or another role.",
        "administrator",
    ),
    "name_too_long": Entry(
        "A name has {longest} characters at most; this one has {length}.",
        "Write a shorter one.",
        "administrator",
    ),
    "unseen_in_name": Entry(
        "Character {place} of the name ({character}) cannot be seen, or turns the text beside it.",
        "Type the name again, on one line; what was copied may hold more than it shows.",
        "administrator",
    ),
    "blank_name": Entry("The name is blank.", "Write a name, and save again.", "administrator"),
    "bad_slug": Entry(
        "The short name '{slug}' is not made of a-z, 0-9 and '-', 40 at most.",
        "Choose another short name.",
        "administrator",
    ),
    "unknown_country": Entry(
        "There is no country '{country}'.", "Write its ISO code, such as AU.", "administrator"
    ),
    "unknown_time_zone": Entry(
        "There is no time zone '{time_zone}'.",
        "Write one such as Australia/Perth.",
        "administrator",
    ),
    "organization_exists": Entry(
        "There is an organization {slug} already.", "Choose another short name.", "administrator"
    ),
    "bad_address": Entry(
        "'{email}' is not an e-mail address.", "Correct it, and save again.", "administrator"
    ),
    "unknown_role": Entry("There is no role '{role}'.", "Choose one of {known}.", "administrator"),
    "too_fresh": Entry(
        "Data stay fresh for 1 hour at least.", "Write 1 or more, and save again.", "administrator"
    ),
    "bad_time_limit": Entry(
        "A sync may take from 1 to {longest} minutes.",
        "Correct the number, and save again.",
        "administrator",
    ),
    "last_admin": Entry(
        "{organization} would have no administrator left.",
        "Make somebody else an administrator first.",
        "administrator",
    ),
    "bad_header_row": Entry(
        "The header cannot be there.",
        "Give the number of its row, from 1 to {last}, or none: then it is found by its labels.",
        "administrator",
    ),
    "bad_locale": Entry(
        "'{text}' is not a locale.", "Write one such as de_DE or en_AU.", "administrator"
    ),
    "name_the_entity": Entry(
        "{resource} has several tables, and such a source is that of one of them.",
        "Choose the table: {known}.",
        "administrator",
    ),
    "no_source": Entry(
        "No source is set for {what}.",
        "Ask an administrator to set one.",
        "administrator",
    ),
    "own_approval": Entry(
        "A guard holds this back, and you requested it yourself.",
        "Ask an administrator, or somebody else who may sync, to look at the plan and approve it.",
        "analyst",
    ),
    "four_eyes": Entry(
        "A guard holds this back, and {organization} lets nobody approve what they requested.",
        "Ask somebody else who may sync to look at the plan and approve it.",
        "analyst",
    ),
    "bad_threshold": Entry(
        "A guard counts 0 rows or more, and from 0 to 100 percent.",
        "Correct the numbers, and save again.",
        "administrator",
    ),
    "nothing_to_retry": Entry(
        "Run {run} was not applied, or no row of it failed: there is nothing to try again.",
        "Start a sync of everything.",
        "analyst",
    ),
    "reason_too_long": Entry(
        "A reason has {longest} characters at most; this one has {length}.",
        "Write a shorter one, and decline the plan again.",
        "analyst",
    ),
    "already_fixed": Entry(
        "No row that failed in run {run} fails any more: run {later} has read them all again.",
        "There is nothing left to fix. Start a sync of everything to read the source again.",
        "analyst",
    ),
    "read_by_later_sync": Entry(
        "Run {later} has read all rows again since run {run}, and some of them still fail.",
        "Open run {later}, and sync the fixed rows of that one.",
        "analyst",
    ),
    "not_comparable": Entry(
        "The runs {first} and {second} are not of one resource.",
        "Choose two runs of the same resource.",
        "analyst",
    ),
    "nothing_to_decide": Entry(
        "Run {run} does not wait for a decision: it is {status}.",
        "Look at the run; preview again if you want another plan.",
        "analyst",
    ),
    "already_ended": Entry(
        "The cancel came too late: run {run} was through before it ({how}).",
        "Look at what the run did; what it changed can be undone.",
        "analyst",
    ),
    "nothing_to_undo": Entry(
        "Run {run} changed nothing that could be undone: {why}.",
        "Undo a run that is completed or partial.",
        "analyst",
    ),
    "unknown_run": Entry("There is no run {run}.", "Look it up in the history.", "analyst"),
    "unknown_resource": Entry(
        "There is no resource {resource}.", "Choose one of {known}.", "analyst"
    ),
    "unknown_entity": Entry(
        "{resource} has no entity {entity}.", "Choose one of {known}.", "analyst"
    ),
    "unknown_file": Entry(
        "This file is no longer available.",
        "Open the page again, and download it there.",
        "analyst",
    ),
    "unknown_table": Entry("There is no table {table}.", "Choose one of {known}.", "developer"),
    "unknown_record": Entry(
        "There is no record '{key}' among the {table}.",
        "Check its key: it is written as the table shows it.",
        "analyst",
    ),
    "nothing_to_prove": Entry(
        "Run {run} has left nothing to prove about {row}.",
        "Rows that it found unchanged are only counted. Check the key: it is written as the run's"
        " page shows it.",
        "administrator",
    ),
    "several_to_prove": Entry(
        "Run {run} did several things to {row}: {found}.",
        "Name the table, or the row of the sheet.",
        "administrator",
    ),
    "not_provable": Entry(
        "What run {run} did cannot be proved: {why}.",
        "Its counts and its history are not affected.",
        "administrator",
    ),
    "check_is_running": Entry(
        "The audit trail is being checked already.",
        "Reload the page in a minute: it shows what was found.",
        "administrator",
    ),
    "checked_just_now": Entry(
        "The audit trail was checked less than {seconds} seconds ago.",
        "What was found is on this page. Try again in a moment.",
        "administrator",
    ),
    "unknown_organization": Entry(
        "There is no organization {slug}.",
        "Check its short name, or ask an administrator to add it.",
        "administrator",
    ),
    "unknown_person": Entry(
        "{email} is not known in {organization}.",
        "Ask an administrator to add the address.",
        "administrator",
    ),
    "bad_schedule": Entry(
        "'{text}' is not a schedule: {why}.",
        "Write it like 'every weekday at 06:30' or 'every 2 hours from 7 to 19', or as a cron "
        "expression like '30 6 * * 1-5'.",
        "administrator",
    ),
    "no_schedule": Entry(
        "{resource} has no schedule.", "Ask an administrator to set one.", "administrator"
    ),
    "plan_waits": Entry(
        "The plan of run {run} waits for a decision.",
        "Confirm or decline it; then the schedule continues.",
        "analyst",
    ),
    "already_syncing_all": Entry(
        "Everything is being synced already.",
        "Follow it on the overview.",
        "analyst",
    ),
    "nothing_to_sync": Entry(
        "No resource has a source yet.",
        "Ask an administrator to set the sources first.",
        "administrator",
    ),
    "bad_retention": Entry(
        "Old values are kept from 1 to {longest} days.",
        "Correct the number, or leave it out: then they are kept forever.",
        "administrator",
    ),
}
