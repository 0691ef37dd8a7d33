"""The link in each mail that ends them: opened by a person, or called by a mail program at once.

To open it changes nothing, for scanners open every link; its button, or the mail program, posts.
"""

import html
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse

from sync_core.notifications import unsubscribe
from sync_core.operations import notifications

PATH = "/mails-off"
STYLE = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
BUTTON = '<form method="post"><button>Send me no more mails</button></form>'

routes = APIRouter(include_in_schema=False)
Ticket = Annotated[str, Query(alias=unsubscribe.TICKET, max_length=2_000)]


@routes.get(PATH)
def ask(_ticket: Ticket) -> HTMLResponse:
    """Show the button that ends the mails."""
    return _page("Mails of Sync Desk", "The inbox in the pages is not affected.", BUTTON)


@routes.post(PATH)
def end(ticket: Ticket) -> HTMLResponse:
    """End the mails to whom the ticket names."""
    organization, person = notifications.end_mails(ticket)
    told = f"{person.email} gets no more mails about {organization.name}."
    return _page(told, "My notifications, in Sync Desk, turns them on again.")


def _page(title: str, text: str, more: str = "") -> HTMLResponse:
    head = html.escape(title)
    content = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{head}</title><style>:root {{ color-scheme: light dark }}"
        " body { font: 16px/1.5 system-ui; max-width: 40rem; margin: 3rem auto }</style>"
        f"<h1>{head}</h1><p>{html.escape(text)}</p>{more}</html>"
    )
    return HTMLResponse(content, headers={"content-security-policy": STYLE})
