"""A certificate authority for one test run, and a server certificate that it signed."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import os
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey


def authority(name: str) -> tuple[x509.Certificate, Key]:
    """Return a new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    built = _builder(name, name, key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    return built.sign(key, hashes.SHA256()), key


def certificate(of: tuple[x509.Certificate, Key], name: str) -> tuple[x509.Certificate, Key]:
    """Return a certificate for a server on loopback, signed by an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    issuer = of[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    built = _builder(name, str(issuer), key.public_key()).add_extension(loopback, False)
    return built.sign(of[1], hashes.SHA256()), key


def pem(one: x509.Certificate | Key) -> str:
    """Return it as PEM."""
    if isinstance(one, x509.Certificate):
        return one.public_bytes(serialization.Encoding.PEM).decode()
    return one.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def fingerprint(one: x509.Certificate) -> str:
    """Return its SHA-256 fingerprint."""
    return one.fingerprint(hashes.SHA256()).hex()


def password_line(name: str, password: str) -> str:
    """Return a line of Elasticsearch's `users` file (PBKDF2 with HMAC-SHA512)."""
    salt, rounds = os.urandom(32), 10_000
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, 32)
    return f"{name}:{{PBKDF2}}{rounds}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}\n"


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
    )
