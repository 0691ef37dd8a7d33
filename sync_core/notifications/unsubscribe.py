"""The signed links in mails that end them, without a sign-in."""

from urllib.parse import urlencode

from itsdangerous import BadData, URLSafeSerializer

from sync_core.foundation import settings

PATH = "/api/mails-off"
TICKET = "ticket"
_SALT = "sync-desk-mails-off"


def address(organization_id: int, email: str) -> str | None:
    """Return the link by which this person gets no more mails; None where nothing is set for it."""
    current = settings.current()
    if current.address is None or (signer := _signer()) is None:
        return None
    ticket = signer.dumps([organization_id, email])
    return f"{current.address}{PATH}?{urlencode({TICKET: ticket})}"


def read(ticket: str) -> tuple[int, str] | None:
    """Return the organization and the e-mail address of a link of ours; None of any other."""
    signer = _signer()
    if signer is None:
        return None
    try:
        organization_id, email = signer.loads(ticket)
    except BadData:
        return None
    return int(organization_id), str(email)


def _signer() -> URLSafeSerializer | None:
    key = settings.current().mail_key
    return URLSafeSerializer(key.value, salt=_SALT) if key else None
