"""A private certificate authority, as strict readers of RFC 5280 want it, and servers that it vouches for."""

import ipaddress
import select
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.integration.deliver.raw_server import Talk, take

_PEM = serialization.Encoding.PEM


class Authority:
    """Signs certificates; its own is in `file`."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        made = (
            self._begun(self._name, self._key.public_key(), timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.public_bytes(_PEM))

    def certificate(
        self, host: str = "127.0.0.1", valid: timedelta = timedelta(days=1), *, by_common_name: bool = False
    ) -> Path:
        """Sign a server's certificate; returns the file that holds it and its key.

        `by_common_name` writes the host where it was before there were alternative names, and nowhere else.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            subject: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            subject = x509.DNSName(host)
        common_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)] if by_common_name else [])
        begun = self._begun(common_name, key.public_key(), valid)
        if not by_common_name:
            begun = begun.add_extension(x509.SubjectAlternativeName([subject]), critical=True)
        made = (
            begun.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / "server.key"
        unencrypted = serialization.NoEncryption()
        written = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, unencrypted) + made.public_bytes(_PEM)
        file.write_bytes(written)
        return file

    def _begun(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, valid: timedelta) -> x509.CertificateBuilder:
        end = datetime.now(UTC) + valid
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=30))
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def answering(certificate: Path, highest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> Talk:
    """Answer 200 to every request, over TLS up to a version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if highest is not ssl.TLSVersion.MAXIMUM_SUPPORTED:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = highest

    def talk(connection: socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            # A wrapped socket cannot be shut down from outside.
            while not over.is_set():
                if select.select([wrapped], [], [], 0.05)[0]:
                    if not take(wrapped):
                        return
                    wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return talk
