"""The one way out by HTTP: to the internet, and to hosts of one's own only where they are named.

A server's name is looked up once for each request, so at each hop; all its numbers are judged, and
one of them is called: what the name becomes a moment later does not matter.
"""

import ipaddress
import socket
import urllib.request
from collections.abc import Iterable, Mapping

import httpx2

from sync_core.sources import certificates

# one sentence for what is not there and for what may not be asked: nobody learns which it is
NO_SUCH_SERVER = (
    "there is no such server on the internet; one of your own network must be named in "
    "SYNCDESK_PRIVATE_HOSTS"
)
_OF_THE_INTERNET = ipaddress.ip_network("2000::/3")  # all of IPv6 that was given out for it
_NOT_PUBLIC = [  # what `is_global` does not know, or lets through: 6to4, documents, and what
    ipaddress.ip_network(n)  # clouds and networks answer themselves under a number like others
    for n in ("2002::/16", "3fff::/20", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
]
_PORTS = {"http": 80, "https": 443}
_NOT_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout)


class NoSuchServerError(httpx2.ConnectError):
    """There is no server of this name on the internet, and none is named as our own."""


class Transport(httpx2.BaseTransport):
    """Sends requests where they may go. Raises NoSuchServerError, and what httpx2 raises.

    `named` are our own hosts, see `is_named`. A company's proxy is asked for all others, where the
    environment names one; then it is the proxy that looks names up.
    """

    def __init__(self, named: Iterable[str]) -> None:
        self._named = frozenset(named)
        self._ways: dict[tuple[str, str | None], httpx2.HTTPTransport] = {}  # by host and proxy

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Look the server up, and ask it by its number."""
        url, named = request.url, is_named(request.url, self._named)
        if url.scheme not in _PORTS or (url.scheme != "https" and not named):
            raise NoSuchServerError(NO_SUCH_SERVER)
        proxy = None if named else _proxy(url)
        way = self._way(url.host, proxy)
        if proxy:
            _numbers(url, named=False, known_elsewhere=True)
            return way.handle_request(request)
        error: Exception | None = None
        for number in _numbers(url, named=named):
            try:
                return way.handle_request(_to(number, request))
            except _NOT_CONNECTED as one:
                error = one
        raise error or NoSuchServerError(NO_SUCH_SERVER)

    def close(self) -> None:
        """Close all connections."""
        for way in self._ways.values():
            way.close()

    def _way(self, host: str, proxy: str | None) -> httpx2.HTTPTransport:
        """Return the connections of one host: none is used for another of the same number."""
        if (host, proxy) not in self._ways:
            verify = certificates.trusted()
            self._ways[host, proxy] = httpx2.HTTPTransport(
                verify=verify, proxy=proxy, trust_env=False
            )
        return self._ways[host, proxy]


def client(
    named: Iterable[str], timeout: httpx2.Timeout, headers: Mapping[str, str]
) -> httpx2.Client:
    """Return a client that goes this way, and follows no redirect by itself."""
    return httpx2.Client(transport=Transport(named), timeout=timeout, headers=dict(headers))


def host_and_port(url: httpx2.URL | str) -> str:
    """Return the server of an address as a setting names it: 127.0.0.1:8000."""
    url = httpx2.URL(url)
    return f"{url.host}:{url.port or _PORTS.get(url.scheme, 0)}"


def is_named(url: httpx2.URL, named: Iterable[str]) -> bool:
    """Return whether a server is named, as a host or with its port."""
    return not {url.host, host_and_port(url)}.isdisjoint(named)


def is_public(number: str) -> bool:
    """Return whether a numeric address is of the internet, and leads nowhere else in disguise."""
    address = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(str(address.ipv4_mapped))
        if address not in _OF_THE_INTERNET:
            return False
    known = any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not known


def _to(number: str, request: httpx2.Request) -> httpx2.Request:
    """Return a request to a number, which names the server as it was: in Host and in TLS."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=number),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )


def _numbers(url: httpx2.URL, *, named: bool, known_elsewhere: bool = False) -> list[str]:
    """Return the numeric addresses of a server. Raises NoSuchServerError, ConnectError."""
    port = url.port or _PORTS[url.scheme]
    try:
        found = socket.getaddrinfo(url.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        if known_elsewhere:
            return []
        passes = isinstance(error, OSError) and error.errno == socket.EAI_AGAIN
        raise (httpx2.ConnectError if passes else NoSuchServerError)(NO_SUCH_SERVER) from error
    numbers = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not named and not all(map(is_public, numbers)):
        raise NoSuchServerError(NO_SUCH_SERVER)
    return numbers


def _proxy(url: httpx2.URL) -> str | None:
    """Return the proxy that the environment names for such addresses."""
    proxies = urllib.request.getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    if not found or urllib.request.proxy_bypass(url.host):
        return None
    return found if "://" in found else f"http://{found}"
