"""An authority of the deployment's own, and the certificates of its servers."""

import shutil
import subprocess
from pathlib import Path

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


def make_authority(folder: Path) -> Path:
    """Make the authority; returns its certificate, by which all know the servers."""
    certificate = folder / "authority.crt"
    key = ["-keyout", str(folder / "authority.key"), "-out", str(certificate)]
    _openssl("req", "-x509", *CURVE, *key, "-subj", "/CN=Northwind authority")
    return certificate


def make(folder: Path, name: str, user: str) -> tuple[Path, Path]:
    """Make the certificate of a server, and its key, which its user alone reads."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    authority = ["-CA", str(folder / "authority.crt"), "-CAkey", str(folder / "authority.key")]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    _openssl("req", "-x509", *CURVE, *authority, *names, *files)
    for path in (certificate, key):
        shutil.chown(path, user)
        path.chmod(0o600)
    return certificate, key


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
