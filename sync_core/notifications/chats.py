"""A letter as Slack, Teams and Google Chat take it; what comes from outside is never markup."""

import html
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sync_core.foundation.vocabulary import ChannelKind
from sync_core.notifications.letters import Entry, Letter

Body = dict[str, Any]
OPEN = "Open it in Sync Desk"
LONGEST_TITLE = 150  # characters of a header in Slack
LONGEST_TEXT = 2_900  # characters of a section in Slack


def slack(letter: Letter) -> Body:
    """Return the body for a webhook of Slack: blocks of plain text, and links of ours alone."""
    blocks = [block for entry in letter.entries for block in _slack_blocks(entry)]
    if letter.closing:
        blocks.append(_section("plain_text", "\n".join(letter.closing)))
    return {"text": html.escape(letter.subject, quote=False), "blocks": blocks}


def _slack_blocks(entry: Entry) -> Iterator[Body]:
    title = entry.title[:LONGEST_TITLE]
    yield {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}
    yield _section("plain_text", "\n".join(entry.lines)[:LONGEST_TEXT])
    if entry.link:
        yield _section("mrkdwn", f"<{html.escape(entry.link, quote=False)}|{OPEN}>")


def _section(kind: str, text: str) -> Body:
    said = {"type": kind, "text": text}
    return {"type": "section", "text": said | ({"emoji": False} if kind == "plain_text" else {})}


def teams(letter: Letter) -> Body:
    """Return the body for a workflow of Teams: a card of text runs, which know no markup."""
    body = [block for entry in letter.entries for block in _teams_blocks(entry)]
    body += [_run(line) for line in letter.closing]
    links = [entry.link for entry in letter.entries if entry.link]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": OPEN, "url": link} for link in links[:1]],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [content]}


def _teams_blocks(entry: Entry) -> Iterator[Body]:
    yield _run(entry.title, weight="Bolder")
    yield from (_run(line) for line in entry.lines)


def _run(text: str, **look: str) -> Body:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def google_chat(letter: Letter) -> Body:
    """Return the body for a webhook of Google Chat: a card, in which HTML is escaped."""
    sections = [_google_section(entry) for entry in letter.entries]
    if letter.closing:
        sections.append({"widgets": [_paragraph(letter.closing)]})
    card = {"header": {"title": letter.subject}, "sections": sections}
    return {"cardsV2": [{"cardId": "sync-desk", "card": card}]}


def _google_section(entry: Entry) -> Body:
    widgets = [_paragraph(entry.lines)]
    if entry.link:
        button = {"text": OPEN, "onClick": {"openLink": {"url": entry.link}}}
        widgets.append({"buttonList": {"buttons": [button]}})
    return {"header": html.escape(entry.title), "widgets": widgets}


def _paragraph(lines: tuple[str, ...]) -> Body:
    return {"textParagraph": {"text": "<br>".join(map(html.escape, lines))}}


BODIES: Mapping[ChannelKind, Callable[[Letter], Body]] = {
    ChannelKind.SLACK: slack,
    ChannelKind.TEAMS: teams,
    ChannelKind.GOOGLE_CHAT: google_chat,
}
