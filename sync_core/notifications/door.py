"""The door to the outside for messages."""

from collections.abc import Mapping

import httpx2

from sync_core.foundation import settings
from sync_core.notifications.delivery_error import DeliveryError
from sync_core.sources import way_out

TIMEOUT = httpx2.Timeout(10.0)  # seconds
_HEADERS = {"User-Agent": "SyncDesk"}


def post(address: str, body: bytes, headers: Mapping[str, str], name: str) -> None:
    """Post to an address; `name` stands for it in sentences. Raises DeliveryError.

    Redirects are not followed.
    """
    named = settings.current().private_hosts
    url = httpx2.URL(address)
    if url.scheme != "https" and not way_out.is_named(url, named):
        raise DeliveryError(f"{name} was not called: its address must begin with https://.")
    try:
        with (
            way_out.client(named, TIMEOUT, _HEADERS) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            status = response.status_code  # its body does not matter
    except way_out.NoSuchServerError as error:
        raise DeliveryError(f"{name} was not called: {error}.") from None
    except httpx2.HTTPError as error:
        raise DeliveryError(f"{name} did not answer ({type(error).__name__}).") from None
    if not httpx2.codes.is_success(status):
        raise DeliveryError(f"{name} refused the message: it answered {status}.")
