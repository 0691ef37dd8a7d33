"""What can go wrong while a source is read."""

from sync_core.foundation.errors.entry import OWNER, Entry

OF_SOURCES: dict[str, Entry] = {
    "bad_location": Entry(
        "'{text}' is not a source: {why}.",
        "Give {sources}.",
        "administrator",
    ),
    "no_folder": Entry(  # whatever the reason: it tells nothing of the rest of the machine
        "There is nothing to read at '{path}' in the organization's folder.",
        "Name a folder that is there, or ask the administrator of the machine to put it there, for "
        "the worker's user to read. A link that leads out of that folder is not read.",
        "administrator",
    ),
    "source_not_allowed": Entry(
        "{source} is not allowed for {organization}.",
        "Several organizations share this installation: ask the administrator of the machine to "
        "allow this source for yours.",
        "administrator",
    ),
    "no_file_of_table": Entry(
        "There is neither '{table}.csv' nor '{table}.xlsx' in {folder}.",
        "Put it there: a CSV file or a workbook for each table, or one workbook '{resource}.xlsx' "
        "with a tab for each.",
        OWNER,
    ),
    "several_files_of_table": Entry(
        "{files} in {folder} may all be the table '{table}'.",
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
        "Correct the header row of the source, or leave it blank: then it is found by its labels.",
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
        "Upload it again.",
        "analyst",
    ),
    "upload_too_large": Entry(
        "The file '{name}' is larger than {limit} MB.",
        "Leave out what is not needed, or ask an administrator to put it into a folder and read it "
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
    "too_many_cells": Entry(
        "{name} is not read: a row has more than {most} cells.",
        "Give a file whose rows have a cell for each column of the table.",
        OWNER,
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
        "{name} was being edited while it was read, and changed again at the second attempt.",
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
    "no_such_server": Entry(
        "{name} was not asked: {why}.",
        "Check the address, or ask the operator of the machine to name the host.",
        "administrator",
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
        "Ask the people who operate the program to set the account's key; the README says how.",
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
        "The document with the id '{id}' is an Excel workbook that is stored in Google Drive.",
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
        "Google limits our requests for now: too many requests in a minute.",
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
    "grid_too_large": Entry(
        "{name} is not read: it has more than {limit}.",
        "Delete the rows and columns that hold nothing, or split the tab.",
        OWNER,
    ),
    "google_answer_too_large": Entry(
        "The Google Sheet is not read: its first rows, or its tabs and merged cells, take more "
        "than {limit}.",
        "Shorten the first rows, and split the spreadsheet.",
        OWNER,
    ),
    "google_contradicts": Entry(
        "Google's answers about {name} contradict each other at {cell}.",
        "Sync again.",
        "analyst",
        retry=True,
    ),
    "google_refused": Entry(
        "Google refuses to give us the sheet: {why}.",
        "Change what Google names, in the sheet or in the Google Cloud console; then test the "
        "source.",
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
        "Cliniko limits our requests for now: too many requests in a minute.",
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
        "Cliniko's list of {what} is incomplete: it counts {total}, and returns {records}.",
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
        "Cliniko returned {what} twice or out of order, at the id {id}.",
        "Sync again; if it happens again, copy the details and tell the developers.",
        "developer",
    ),
}
