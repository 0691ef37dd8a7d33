"""What can go wrong with a run: code, sentence, cure, who can do it, worth retrying.

What can be wrong with a cell stands in `catalogue/cell_codes.py`. No sentence quotes a command of
the shell: most people read them on a page; `cli/hints.py` has the commands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Who = Literal["analyst", "owner of the source", "administrator", "developer"]

OWNER: Who = "owner of the source"


@dataclass(frozen=True)
class Entry:
    """One kind of error; `sentence` and `advice` are format strings over the error's facts.

    In an outage, a server itself says that it is busy or out of order: that is worth a long wait.
    """

    sentence: str
    advice: str
    who: Who
    retry: bool = False
    outage: bool = False


CATALOGUE: dict[str, Entry] = {
    # reading a source
    "bad_location": Entry(
        "'{text}' is not a source: {why}.",
        "Give {sources}.",
        "administrator",
    ),
    "no_folder": Entry(
        "There is no folder {folder}.",
        "Make the folder, or set another source.",
        "administrator",
    ),
    "folder_not_allowed": Entry(
        "{path} is outside the folders in which files may be read here.",
        "Move the files into such a folder, or let an administrator of the machine allow theirs.",
        "administrator",
    ),
    "no_file_of_table": Entry(
        "There is neither '{table}.csv' nor '{table}.xlsx' in the folder {folder}.",
        "Put it there: a CSV file or a workbook for each table, or one workbook '{resource}.xlsx' "
        "with a tab for each.",
        OWNER,
    ),
    "several_files_of_table": Entry(
        "{files} in the folder {folder} may all be the table '{table}'.",
        "Keep the right one there, and rename or remove the other.",
        OWNER,
    ),
    "unreadable_file": Entry(
        "{name} cannot be read: {why}.",
        "Give the worker's user the right to read it.",
        "administrator",
    ),
    "empty_file": Entry(
        "{name} is empty: it has no header row.",
        "Put the labels of the columns into the first row, and the data below.",
        OWNER,
    ),
    "not_utf8": Entry(
        "{name} is not in UTF-8: {why}.",
        "Save it as 'CSV UTF-8' and sync again.",
        OWNER,
    ),
    "wrong_charset": Entry(
        "{name} is not in {charset}, though it says so: line {line} holds something else.",
        "Save it as 'CSV UTF-8' and sync again.",
        OWNER,
    ),
    "no_header_row": Entry(
        "{name} has nothing in row {row}, where its header is set to be.",
        "Set the header row of the source anew, or let it be found by its labels.",
        "administrator",
    ),
    "too_many_columns": Entry(
        "{name} cannot be read: row {row} has more than {limit} columns.",
        "Look whether line ends are missing, and delete columns that hold nothing.",
        OWNER,
    ),
    "html_instead_of_csv": Entry(
        "{name} is a web page instead of CSV.",
        "Save it as CSV. Of a Google Sheet, give the address of the CSV itself: File, Share, "
        "Publish to web, Comma-separated values (.csv).",
        OWNER,
    ),
    "not_csv": Entry(
        "{name} is {what} instead of CSV.",
        "Export it as CSV, not packed, and sync again.",
        OWNER,
    ),
    "upload_lost": Entry(
        "The uploaded file '{name}' is not there any more.",
        "Upload it once more.",
        "analyst",
    ),
    "upload_too_large": Entry(
        "The file '{name}' is larger than {limit} MB.",
        "Leave out what is not needed, or let an administrator put it into a folder and read it "
        "from there.",
        "analyst",
    ),
    "upload_incomplete": Entry(
        "No file was given for {missing}, a table of {title}.",
        "Give a CSV file for each table, or one workbook with a tab for each.",
        "analyst",
    ),
    "upload_unused": Entry(
        "Nothing would be read from the file '{name}': every table is found in another one.",
        "Leave it out.",
        "analyst",
    ),
    "not_a_workbook": Entry(
        "{name} is {what}.",
        "Save it as an Excel workbook (.xlsx) or as CSV, and sync again.",
        "owner of the source",
    ),
    "locked_workbook": Entry(
        "{name} is protected by a password.",
        "Take the password off (File, Info, Protect Workbook, Encrypt with Password), save it, and "
        "sync again.",
        "owner of the source",
    ),
    "damaged_workbook": Entry(
        "{name} cannot be read as a workbook: {why}.",
        "Open it in Excel or LibreOffice, save it as XLSX, and sync again.",
        "owner of the source",
    ),
    "workbook_too_large": Entry(
        "{name} is not read: {what} is larger than {limit}.",
        "Split the workbook, or save the tab alone as CSV.",
        "owner of the source",
    ),
    "unclosed_quote": Entry(
        "{name} cannot be read: a quote that opens in row {row} is not closed properly.",
        "Close it at the end of its cell; a quote inside a quoted cell is written twice.",
        OWNER,
    ),
    "cell_too_large": Entry(
        "{name} cannot be read: row {row} is larger than {limit}.",
        "Shorten the row.",
        OWNER,
    ),
    "source_changed_while_reading": Entry(
        "{name} was changed while it was being read.",
        "Sync again.",
        "analyst",
        retry=True,
    ),
    "source_being_edited": Entry(
        "{name} was being edited while it was read, and then once more.",
        "Sync again when nobody is editing it.",
        "analyst",
        retry=True,
    ),
    "csv_not_found": Entry(
        "{name} is not there: the server answers {status}.",
        "Check the address of the source.",
        "administrator",
    ),
    "csv_refused": Entry(
        "{name} may not be read: the server answers {status}.",
        "Let everyone who has the address read it.",
        OWNER,
    ),
    "csv_unavailable": Entry(
        "{name} could not be fetched: {why}.",
        "Sync again later.",
        "analyst",
        retry=True,
    ),
    "csv_outage": Entry(
        "{name} could not be fetched: the server answers {status}.",
        "Sync again later.",
        "analyst",
        retry=True,
        outage=True,
    ),
    "csv_too_large": Entry(
        "{name} is larger than {limit}.",
        "Split it, or put it into a folder and read it from there.",
        OWNER,
    ),
    "redirect_refused": Entry(
        "{name} sends us on to {host}, which we do not follow.",
        "Give the address at which the CSV itself is.",
        "administrator",
    ),
    "no_service_account": Entry(
        "No Google service account is set.",
        "Set GOOGLE_SERVICE_ACCOUNT_FILE to its key file, and restart the workers.",
        "administrator",
    ),
    "bad_service_account": Entry(
        "The key of the Google service account cannot be used: {why}.",
        "Make a new JSON key for the service account in the Google Cloud console, and set it.",
        "administrator",
    ),
    "google_refused_key": Entry(
        "Google refuses the key of the service account {email}: {why}.",
        "Check the machine's clock; if it is right, make a new key for the account.",
        "administrator",
    ),
    "sheet_not_shared": Entry(
        "The Google Sheet is not shared with {reader}.",
        "Open the sheet, press Share, and let {reader} view it.",
        OWNER,
    ),
    "sheet_not_found": Entry(
        "There is no Google Sheet with the id '{id}'.",
        "Copy the address of the sheet from the browser, and set the source again.",
        "administrator",
    ),
    "not_a_google_sheet": Entry(
        "The document with the id '{id}' is not a Google Sheet.",
        "Open it in Google Sheets, choose File, Save as Google Sheets, and set the new address.",
        OWNER,
    ),
    "workbook_in_drive": Entry(
        "The document with the id '{id}' is an Excel workbook that lies in Google Drive.",
        "Open it in Google Sheets, choose File, Save as Google Sheets, and set the new address; or"
        " download it and sync it from a file.",
        OWNER,
    ),
    "tab_not_found": Entry(
        "'{spreadsheet}' has no tab '{tab}'; it has {tabs}.",
        "Rename the tab, or set the source again with one of these.",
        OWNER,
    ),
    "ambiguous_tab": Entry(
        "'{spreadsheet}' has several tabs that may be '{tab}': {tabs}.",
        "Rename the tabs that are not meant, or set the source again with the one that is.",
        OWNER,
    ),
    "tab_deleted": Entry(
        "{tab} is no longer in '{spreadsheet}'; {instead}.",
        "Set the source again with the tab that is meant.",
        OWNER,
    ),
    "tab_without_cells": Entry(
        "The tab '{tab}' of '{spreadsheet}' holds no cells: it is a chart, or a view of a table "
        "elsewhere.",
        "Set the source again with a tab of cells.",
        OWNER,
    ),
    "google_api_disabled": Entry(
        "The Google Sheets API is switched off in the project of the service account {email}.",
        "Switch it on in the Google Cloud console (APIs and services), and wait a few minutes.",
        "administrator",
    ),
    "google_busy": Entry(
        "Google lets us read no more for now: too many requests in a minute.",
        "Sync again in a few minutes.",
        "analyst",
        retry=True,
        outage=True,
    ),
    "google_outage": Entry(
        "Google Sheets could not be read: Google answered with an error ({status}).",
        "Sync again later.",
        "analyst",
        retry=True,
        outage=True,
    ),
    "google_scopes_missing": Entry(
        "Google does not let the service account {email} read any sheets: its token lacks the "
        "scopes of Sheets and Drive.",
        "Check in the Google Cloud and Workspace consoles what restricts the account, or make a "
        "key for another one.",
        "administrator",
    ),
    "google_unavailable": Entry(
        "Google Sheets could not be read: {why}.",
        "Sync again later.",
        "analyst",
        retry=True,
    ),
    "google_contradicts": Entry(
        "Google's answers about {name} contradict each other at {cell}.",
        "Sync again.",
        "analyst",
        retry=True,
    ),
    "google_refused": Entry(
        "Google refuses to hand over the sheet: {why}.",
        "Set the source again, and test it.",
        "administrator",
    ),
    "no_cliniko_key": Entry(
        "No API key of Cliniko is set for {organization}.",
        "Set {variable} to the key, or {variable}_FILE to a file that holds it, and restart "
        "workers and pages.",
        "administrator",
    ),
    "bad_cliniko_key": Entry(
        "The API key of Cliniko cannot be used: {why}.",
        "Copy the whole key from Cliniko (My info, Manage API keys), with its ending such as -au1, "
        "set it again, and restart workers and pages.",
        "administrator",
    ),
    "cliniko_refused_key": Entry(
        "Cliniko refuses the API key at {host}.",
        "Check that the key is whole, with its ending such as -au1; else make a new one in Cliniko "
        "(My info, Manage API keys), set it, and restart workers and pages.",
        "administrator",
    ),
    "cliniko_may_not_read": Entry(
        "The user of the API key may not read {what} in Cliniko.",
        "Give that user in Cliniko a role that may read {what}, such as administrator, or make the "
        "key as somebody who has one.",
        "administrator",
    ),
    "cliniko_lacks_a_role": Entry(
        "Cliniko answers, but the user of the API key may not read {what}; it may read {may}.",
        "Give that user in Cliniko a role that may read {what}, such as administrator, or make the "
        "key as somebody who has one.",
        "administrator",
    ),
    "cliniko_not_found": Entry(
        "Cliniko has no list of {what} at {host}.",
        "Check the ending of the API key, such as -au1: it names the server of the account.",
        "administrator",
    ),
    "cliniko_unreachable": Entry(
        "Cliniko's server {host} cannot be reached.",
        "Check the network, and the ending of the API key, such as -au1: it names the server.",
        "administrator",
        retry=True,
    ),
    "cliniko_busy": Entry(
        "Cliniko lets us read no more for now: too many requests in a minute.",
        "Sync again in a few minutes; another program may be using the same API key.",
        "analyst",
        retry=True,
        outage=True,
    ),
    "cliniko_maintenance": Entry(
        "Cliniko is closed for maintenance.",
        "Sync again later; status.cliniko.com tells how long it takes.",
        "analyst",
        retry=True,
        outage=True,
    ),
    "cliniko_outage": Entry(
        "Cliniko could not be read: it answered with an error ({status}) about {what}.",
        "Sync again later; status.cliniko.com tells whether it is known.",
        "analyst",
        retry=True,
        outage=True,
    ),
    "cliniko_unavailable": Entry(
        "Cliniko could not be read: {why}.",
        "Sync again later.",
        "analyst",
        retry=True,
    ),
    "cliniko_damaged": Entry(
        "Cliniko's list of {what} cannot be read: {why}.",
        "Sync again later.",
        "analyst",
        retry=True,
    ),
    "cliniko_unexpected": Entry(
        "Cliniko's list of {what} is not as it is documented: {why}.",
        "Sync again; if it happens again, copy the details and tell the developers.",
        "developer",
        retry=True,
    ),
    "cliniko_incomplete": Entry(
        "Cliniko's list of {what} is not whole: it counts {total}, and hands out {records}.",
        "Sync again later.",
        "analyst",
        retry=True,
    ),
    "cliniko_shrank": Entry(
        "Cliniko's list of {what} became shorter while it was read: it held {expected} more, and "
        "then {total}.",
        "Sync again; if it happens again, look in Cliniko for somebody who deletes many {what}.",
        "analyst",
        retry=True,
    ),
    "cliniko_refused": Entry(
        "Cliniko refuses to list {what}: {why}.",
        "Copy the details and tell the developers.",
        "developer",
    ),
    "cliniko_elsewhere": Entry(
        "Cliniko sends us on to {host}, which we do not follow.",
        "Check the ending of the API key, such as -au1: it names the server of the account.",
        "administrator",
    ),
    "cliniko_disorder": Entry(
        "Cliniko handed out {what} twice or out of order, at the id {id}.",
        "Sync again; if it happens again, copy the details and tell the developers.",
        "developer",
    ),
    # a run
    "missing_column": Entry(
        "Column '{label}' is missing.{hint}",
        "Put the header back into the first row of '{sheet}'.",
        OWNER,
    ),
    "no_label": Entry(
        "{name} has no header of {table}: its row {row} begins with '{text}'.",
        "Put the labels of the columns, '{label}' and so on, above the data of '{sheet}'.",
        OWNER,
    ),
    "unparted_header": Entry(
        "The header in row {row} of {name} is not parted into cells: '{text}'.",
        "Put each label into a cell of its own: commas, semicolons, tabs or | part the cells of a "
        "CSV, without quotes round the whole row.",
        OWNER,
    ),
    "repeated_column": Entry(
        "Column '{label}' stands twice: {cells}.", "Rename or delete one of the two columns.", OWNER
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
        "Sync again at a quieter hour, or allow more time in the settings.",
        "analyst",
        retry=True,
    ),
    "waited_too_long": Entry(
        "It was not through after {minutes} min, most of which it waited for a worker, and was "
        "ended. Nothing was changed.",
        "Sync again at a quieter hour; if it happens again, let an administrator start more "
        "workers.",
        "analyst",
        retry=True,
    ),
    "never_begun": Entry(
        "No worker took it within {minutes} min, and it was ended. Nothing was changed.",
        "Sync again; if it happens again, let an administrator look whether workers run, and start "
        "more of them.",
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
        "The test was given up: the source takes longer than {seconds} s.",
        "Preview a sync instead: a worker has the time that it needs.",
        "analyst",
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
    "expired": Entry(
        "Nobody decided on the plan within {hours} h. Nothing was changed.",
        "Sync again, and decide on the new plan.",
        "analyst",
        retry=True,
    ),
    "plan_outdated": Entry(
        "The plan does not hold any more: {moved}. Nothing was changed.",
        "Preview, or undo, once more, and confirm the new plan.",
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
    # asking for a run
    "already_running": Entry(
        "{who} started this {ago} ago.", "Follow run {run}; it is on its way.", "analyst"
    ),
    "cooldown": Entry(
        "This was synced a moment ago. Try again in {seconds} s.",
        "Wait a moment.",
        "analyst",
        retry=True,
    ),
    "no_permission": Entry(
        "As {role} you may not {doing}.", "Ask somebody who is {roles}.", "administrator"
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
        "The header cannot stand there.",
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
        "A guard holds this back, and you have asked for it yourself.",
        "Ask an administrator, or somebody else who may sync, to look at the plan and approve it.",
        "analyst",
    ),
    "four_eyes": Entry(
        "A guard holds this back, and {organization} lets nobody approve what they asked for.",
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
        "Its counts and its history stand as they are.",
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
    # schedules
    "bad_schedule": Entry(
        "'{text}' is not a schedule: {why}.",
        "Write it like 'every weekday at 06:30' or 'every 2 hours from 7 to 19', or as a cron "
        "expression like '30 6 * * 1-5'.",
        "administrator",
    ),
    "no_schedule": Entry(
        "{resource} has no schedule.", "Let an administrator set one.", "administrator"
    ),
    "plan_waits": Entry(
        "The plan of run {run} waits for a decision.",
        "Confirm or decline it; then the schedule goes on.",
        "analyst",
    ),
    "already_syncing_all": Entry(
        "Everything is being synced already.",
        "Follow it on the overview.",
        "analyst",
    ),
    "nothing_to_sync": Entry(
        "No resource has a source yet.",
        "Let an administrator set the sources first.",
        "administrator",
    ),
    "bad_retention": Entry(
        "Old values are kept from 1 to {longest} days.",
        "Correct the number, or leave it out: then they are kept for ever.",
        "administrator",
    ),
    # asking over HTTP
    "no_such_address": Entry(
        "There is nothing at {path}.",
        "Look the address up in /api/openapi.json, or in /api/reference.",
        "developer",
    ),
    "wrong_method": Entry(
        "{path} does not take {method}.",
        "Look in /api/openapi.json at what it takes.",
        "developer",
    ),
    "not_signed_in": Entry(
        "Sign in to Sync Desk first.",
        "A program sends a token of the organization: 'Authorization: Bearer ...'.",
        "administrator",
    ),
    "bad_token": Entry(
        "The token is not known, or it is revoked, or its time is over.",
        "Ask an administrator for another one.",
        "administrator",
    ),
    "not_a_monitor": Entry(
        "These figures are for a monitor.",
        "Show the monitor's token (SYNCDESK_MONITOR_TOKEN), or one of an organization.",
        "administrator",
    ),
    "another_site": Entry(
        "Another site has asked for this.", "Ask from a page of Sync Desk.", "developer"
    ),
    "key_used": Entry(
        "The Idempotency-Key '{key}' was sent with another request before.",
        "Send each request with a key of its own, and the same one only to repeat it.",
        "developer",
    ),
    "token_exists": Entry(
        "There is a token {name} already.",
        "Choose another name, or revoke that one first.",
        "administrator",
    ),
    "unknown_token": Entry(
        "There is no token {name}.", "Look at the list of tokens.", "administrator"
    ),
    "unknown_channel": Entry(
        "There is no such channel any more.", "Look at the list of channels.", "administrator"
    ),
    "bad_channel_name": Entry(
        "'{name}' cannot be the name of a channel.",
        "Use up to 40 small letters and digits, with single hyphens between them.",
        "administrator",
    ),
    "channel_exists": Entry(
        "There is a channel {name} already.",
        "Choose another name, or remove that one first.",
        "administrator",
    ),
    "bad_webhook": Entry(
        "'{address}' is not the address of a webhook.",
        "Write it whole, such as https://example.org/hooks/sync, without a user or password.",
        "administrator",
    ),
    "bad_mail_link": Entry(
        "The link that ends mails is not one of ours, or not whole.",
        "Open it from the mail again, or sign in and choose My notifications.",
        "analyst",
    ),
    "bad_days": Entry(
        "A token lasts from 1 to {longest} days.",
        "Correct the number, or leave it out: then it lasts until somebody revokes it.",
        "administrator",
    ),
    "bad_request": Entry(
        "The request cannot be read: {what}.",
        "Correct it; /api/openapi.json says what belongs there.",
        "developer",
    ),
    "too_much_sent": Entry("The request is larger than {limit} bytes.", "Send less.", "developer"),
    "too_many_requests": Entry(
        "Too many requests: {most} a minute are allowed.",
        "Wait {seconds} s, and ask less often.",
        "developer",
        retry=True,
    ),
    "too_many_files": Entry("Too many files at once.", "Try again soon.", "analyst", retry=True),
    "too_many_streams": Entry(
        "{most} streams are open here already.",
        "Ask for the run now and then instead, or come back soon.",
        "developer",
        retry=True,
    ),
    "name_the_organization": Entry(
        "It is not said whose data are asked for.",
        "Name the organization: one of {known}.",
        "developer",
    ),
    # the machine
    "no_live_progress": Entry(
        "Live progress is unavailable; the sync goes on.",
        "Try again soon. The end of the sync is shown as always.",
        "administrator",
        retry=True,
    ),
    "database_crowded": Entry(
        "The database has too many connections.",
        "It goes on by itself as soon as some are free; an administrator can allow it more.",
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
    "needs_migration": Entry(
        "The database is not at the newest version.",
        "Bring it up to date, then start the program again.",
        "administrator",
    ),
}


class SyncError(Exception):
    """An error with a code from the catalogue, and the facts that its sentence and advice name.

    `each` repeats the sentence, once with the facts of each. `retry_after` are the seconds that
    a server asked us to wait, `pause` those after which we know that a retry may help.
    """

    def __init__(
        self,
        code: str,
        *,
        each: Sequence[Mapping[str, object]] = ({},),
        retry_after: float | None = None,
        pause: float | None = None,
        **facts: object,
    ) -> None:
        self.code = code
        self.facts = facts
        self.each = each
        self.retry_after = retry_after
        self.pause = pause
        self.entry = CATALOGUE[code]
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """What is wrong, and where."""
        return " ".join(self.entry.sentence.format(**self.facts, **one) for one in self.each)

    @property
    def advice(self) -> str:
        """What to do about it."""
        return self.entry.advice.format(**self.facts)
