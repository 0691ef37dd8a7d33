"""Mails: plain text and HTML beside each other, handed to the server of the settings."""

import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sync_core.foundation import settings
from sync_core.foundation.settings import LOOPBACK, Settings
from sync_core.notifications import letters
from sync_core.notifications.delivery_error import DeliveryError, MailServerAwayError
from sync_core.notifications.letters import Letter

TIMEOUT = 10.0  # seconds for each answer of the server
PORTS = {"smtp": 587, "smtps": 465}
_WIDE = policy.SMTP.clone(max_line_length=900)  # so that no address in a header is folded
NO_SERVER = "No mail server is set."


@dataclass(frozen=True)
class File:
    """A file that goes with a mail."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Envelope:
    """What stands around a letter: to whom, under which number, and how it is ended."""

    to: str
    number: int  # of the message in the outbox: who gets it twice can tell
    at: datetime
    ends: str | None = None  # the address that ends such mails, of a person
    preferences: str | None = None  # the address at which a person decides what they get


@cache
def _templates() -> Environment:
    folder = Path(__file__).parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def compose(letter: Letter, envelope: Envelope, files: Sequence[File] = ()) -> EmailMessage:
    """Return the mail."""
    sender = settings.current().mail_from or ""
    mail = EmailMessage(policy=_WIDE)
    mail["From"] = Address("Sync Desk", addr_spec=sender)
    mail["To"] = Address(addr_spec=envelope.to)
    mail["Subject"] = letters.line(letter.subject)
    mail["Date"] = format_datetime(envelope.at)
    mail["Message-ID"] = f"<syncdesk-{envelope.number}@{sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if envelope.ends:
        mail["List-Unsubscribe"] = f"<{envelope.ends}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content("\n".join(_text(letter, envelope)))
    html = _templates().get_template("letter.html").render(letter=letter, envelope=envelope)
    mail.add_alternative(html, subtype="html")
    for file in files:
        mail.add_attachment(file.content, "text", "csv", filename=file.name)
    return mail


def _text(letter: Letter, envelope: Envelope) -> Iterator[str]:
    yield from letters.all_lines(letter.entries)
    yield from letter.closing
    yield "-- "
    if envelope.preferences:
        yield f"What you get: {envelope.preferences}"
    if envelope.ends:
        yield f"No more mails: {envelope.ends}"


def send(make: Callable[[], EmailMessage]) -> None:
    """Make a mail once its server is there, and hand it over. Raises DeliveryError."""
    current = settings.current()
    if current.mail_server is None:
        raise DeliveryError(NO_SERVER)
    with _told_plainly(), _server(current, current.mail_server) as server:
        server.send_message(make())


@contextmanager
def _server(current: Settings, address: str) -> Iterator[smtplib.SMTP]:
    """Connect and sign in; over the network never without TLS."""
    url = urlsplit(address)
    host, port = url.hostname or "", url.port or PORTS[url.scheme]
    context = ssl.create_default_context()
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    with server:
        if url.scheme == "smtp" and host not in LOOPBACK:
            server.starttls(context=context)
        if current.mail_user and current.mail_password:
            server.login(current.mail_user, current.mail_password.value)
        yield server


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Turn what may go wrong with a server into a sentence that names no secret."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise DeliveryError(_refused("the address", code, answer)) from None
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError(f"The mail server refused the sign-in ({error.smtp_code}).") from None
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(_refused("the mail", error.smtp_code, error.smtp_error)) from None
    except smtplib.SMTPNotSupportedError:
        raise DeliveryError("The mail server offers no TLS, or no sign-in.") from None
    except ssl.SSLError:
        raise DeliveryError("The mail server has no certificate that is trusted.") from None
    except (OSError, smtplib.SMTPException) as error:
        told = f"The mail server did not answer ({type(error).__name__})."
        raise MailServerAwayError(told) from None


def _refused(what: str, code: int, answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return letters.line(f"The mail server refused {what}: {code} {text}")[:300]
