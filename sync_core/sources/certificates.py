"""The certificates of servers that are trusted: those of the system."""

import ssl
from functools import cache

import httpx2


@cache
def trusted() -> ssl.SSLContext:
    """Return the certificates, loaded once a process: it takes longer than a request on the LAN.

    They are the system's (SSL_CERT_FILE and SSL_CERT_DIR are honoured).
    """
    return httpx2.create_ssl_context()
