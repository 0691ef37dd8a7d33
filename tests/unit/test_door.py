"""The door to the outside calls by number, and still knows the server by its name."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sync_core.foundation import settings
from sync_core.notifications import door
from sync_core.notifications.delivery_error import DeliveryError
from sync_core.sources import certificates
from tests.support.post import Receiver


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a certificate of "localhost" that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "server.pem"
    path.write_bytes(key.private_bytes(pem, *plain) + signed.public_bytes(pem))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SYNCDESK_PRIVATE_HOSTS", "localhost 127.0.0.1")
    forget()
    yield path
    monkeypatch.undo()
    forget()


def forget() -> None:
    certificates.trusted.cache_clear()
    settings.current.cache_clear()


def test_a_server_is_called_by_number_and_known_by_name(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Receiver(context) as receiver:
        port = receiver.port
        door.post(f"https://localhost:{port}/hook?a=1", b"{}", {}, "The webhook")
        (posted,) = receiver.posted
        assert (posted.path, posted.headers["host"]) == ("/hook?a=1", f"localhost:{port}")
        with pytest.raises(DeliveryError, match="did not answer"):
            door.post(f"https://127.0.0.1:{port}/hook", b"{}", {}, "The webhook")
        assert len(receiver.posted) == 1


def test_a_server_that_nobody_knows_is_told_plainly() -> None:
    with pytest.raises(DeliveryError, match="not called: there is no such server on the internet"):
        door.post("https://nowhere.invalid/hook", b"{}", {}, "The webhook")
