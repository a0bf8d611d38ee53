"""Certificates and keys, made for a test."""

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

NAME = "a.board.test"
# A board that does not know the date has its own beginning of time.
FROM, UNTIL = datetime.datetime(1970, 1, 1), datetime.datetime(2100, 1, 1)


@dataclass(frozen=True)
class Identity:
    """A certificate, signed with its own key, and that key; both DER, as MicroPython takes them."""

    certificate: bytes
    key: bytes

    def context(self, *, server: bool) -> ssl.SSLContext:
        """Return what a server shows, or a client trusts."""
        pem = ssl.DER_cert_to_PEM_cert(self.certificate)
        if not server:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=pem)
            return context
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        key = serialization.load_der_private_key(self.key, None)
        with TemporaryDirectory() as folder:
            file = Path(folder, "both.pem")
            file.write_bytes(pem.encode() + private(key, serialization.Encoding.PEM))
            context.load_cert_chain(file)
        return context


def private(key: object, encoding: serialization.Encoding) -> bytes:
    """Return a private key as bytes."""
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def identity(kind: str) -> Identity:
    """Make an identity called NAME, with an ``EC`` or an ``RSA`` key."""
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "EC"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(FROM)
        .not_valid_after(UNTIL)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    der = serialization.Encoding.DER
    return Identity(certificate.public_bytes(der), private(key, der))
