"""The door to the outside for messages: it leads to the internet, and nowhere else by itself."""

import ipaddress
import socket
from collections.abc import Mapping

import httpx2

from sync_core.foundation import settings
from sync_core.notifications.delivery_error import DeliveryError
from sync_core.sources import certificates

TIMEOUT = 10.0  # seconds
PRIVATE = "its address is not of the internet; SYNCDESK_PRIVATE_WEBHOOKS=yes allows that"
_TUNNELS = [ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")]
_PORTS = {"http": 80, "https": 443}


def post(address: str, body: bytes, headers: Mapping[str, str], name: str) -> None:
    """Post to an address; `name` stands for it in sentences. Raises DeliveryError.

    The server's address is looked up once, judged, and then called: what its name becomes a moment
    later does not matter. Redirects are not followed.
    """
    url = httpx2.URL(address)
    if url.scheme != "https" and not settings.current().private_webhooks:
        raise DeliveryError(f"{name} was not called: its address must begin with https://.")
    try:
        number = _number(url, name)
        status = _post(url, number, body, headers)
    except (OSError, httpx2.HTTPError) as error:
        raise DeliveryError(f"{name} did not answer ({type(error).__name__}).") from None
    if not httpx2.codes.is_success(status):
        raise DeliveryError(f"{name} refused the message: it answered {status}.")


def _number(url: httpx2.URL, name: str) -> str:
    """Return the numeric address of the server. Raises DeliveryError where it is a private one."""
    port = url.port or _PORTS[url.scheme]
    found = socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    numbers = [str(entry[4][0]) for entry in found]
    if not settings.current().private_webhooks and not all(map(is_public, numbers)):
        raise DeliveryError(f"{name} was not called: {PRIVATE}.")
    return numbers[0]


def is_public(number: str) -> bool:
    """Return whether a numeric address is of the internet, and leads nowhere else in disguise."""
    address = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(str(address.ipv4_mapped))
        if any(address in tunnel for tunnel in _TUNNELS):
            return False
    return address.is_global and not address.is_multicast


def _post(url: httpx2.URL, number: str, body: bytes, headers: Mapping[str, str]) -> int:
    sent = {"Host": url.netloc.decode("ascii"), "User-Agent": "SyncDesk", **headers}
    verify = certificates.trusted() if url.scheme == "https" else False
    with (
        httpx2.Client(verify=verify, trust_env=False, timeout=TIMEOUT) as client,
        client.stream(
            "POST",
            url.copy_with(host=number),
            content=body,
            headers=sent,
            extensions={"sni_hostname": url.host},
        ) as response,
    ):
        return response.status_code  # its body does not matter
