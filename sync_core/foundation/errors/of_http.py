"""Why a request over HTTP is refused."""

from sync_core.foundation.errors.entry import Entry

OF_HTTP: dict[str, Entry] = {
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
    "bad_sign_in": Entry(
        "Your sign-in service does not say who you are in a way that counts: '{claim}' is missing "
        "or makes no sense.",
        "Tell the people who run the sign-in service: it must name issuer, subject, a verified "
        "e-mail address and the time of the sign-in.",
        "administrator",
    ),
    "address_not_verified": Entry(
        "{email} is not verified by your sign-in service.",
        "Verify the address there, and sign in again.",
        "administrator",
    ),
    "another_account": Entry(
        "{email} belongs to somebody who signs in with another account.",
        "Sign in with that one, or ask an administrator to let this one in.",
        "administrator",
    ),
    "sign_in_ended": Entry("Your sign-in has ended.", "Sign in again.", "administrator"),
    "no_offer": Entry(
        "This invitation is no longer valid.",
        "Ask an administrator of the organization for another one.",
        "administrator",
    ),
    "bad_token": Entry(
        "The token is not known, or it is revoked, or it has expired.",
        "Ask an administrator for another one.",
        "administrator",
    ),
    "not_a_monitor": Entry(
        "These figures are for a monitor.",
        "Show the monitor's token, or one of an organization.",
        "administrator",
    ),
    "another_site": Entry(
        "Another site has requested this.", "Ask from a page of Sync Desk.", "developer"
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
        "The link that ends mails is not one of ours, or incomplete.",
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
    "bad_view": Entry(
        "A view has a name of up to {limit} characters, and not too many filters.",
        "Shorten the name, or take filters away.",
        "analyst",
    ),
    "too_many_views": Entry(
        "You have saved {limit} views of this page already.",
        "Remove one that you do not need.",
        "analyst",
    ),
    "search_refused": Entry("A search cannot be for {what}.", "Search for less.", "analyst"),
    "took_too_long": Entry(
        "This took longer than {seconds} s, and was ended.",
        "Narrow the period, the filters or the search, and ask again.",
        "analyst",
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
        "The request does not say whose data it is about.",
        "Name the organization: one of {known}.",
        "developer",
    ),
}
