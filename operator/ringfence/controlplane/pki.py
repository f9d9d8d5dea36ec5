"""The control plane's own certificate authority and keys.

Law: everything here is for one development control plane on this machine; nothing leaves its folder.
"""

import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_SKEW: Final = datetime.timedelta(hours=1)
_LIFETIME: Final = datetime.timedelta(days=365)
_LONGEST_USER: Final = 64  # characters of a common name, by RFC 5280
_CA_CERTIFICATE: Final = "ca.crt"
_CA_KEY: Final = "ca.key"


@dataclass(frozen=True)
class Credential:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """A certificate authority whose certificate and key lie in `folder`."""

    def __init__(self, folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._folder = folder
        self._certificate = certificate
        self._key = key

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Make a new authority and write it to `folder`."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("ringfence-development")
        certificate = (
            _builder(name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_private(folder / _CA_CERTIFICATE, _certificate_pem(certificate))
        write_private(folder / _CA_KEY, _key_pem(key))
        return cls(folder, certificate, key)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the authority that `create` wrote to `folder`."""
        certificate = x509.load_pem_x509_certificate((folder / _CA_CERTIFICATE).read_bytes())
        key = serialization.load_pem_private_key((folder / _CA_KEY).read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{folder / _CA_KEY} is not an elliptic curve key")
        return cls(folder, certificate, key)

    @property
    def certificate_file(self) -> Path:
        """The authority's certificate, PEM: what clients trust."""
        return self._folder / _CA_CERTIFICATE

    def client(self, user: str, groups: Sequence[str] = ()) -> Credential:
        """Issue the certificate of a user, who is a member of `groups`. Raises ValueError beyond 64 characters."""
        if not 0 < len(user) <= _LONGEST_USER:
            raise ValueError(f"a user of a client certificate has 1 to {_LONGEST_USER} characters, not {len(user)}")
        return self._issue(_name(user, groups), ExtendedKeyUsageOID.CLIENT_AUTH, ())

    def server(self, hosts: Sequence[str], addresses: Sequence[str]) -> Credential:
        """Issue the certificate of a server that answers at `hosts` and IP `addresses`."""
        names = [*map(x509.DNSName, hosts), *(x509.IPAddress(ipaddress.ip_address(text)) for text in addresses)]
        return self._issue(_name(hosts[0]), ExtendedKeyUsageOID.SERVER_AUTH, names)

    def _issue(self, subject: x509.Name, usage: x509.ObjectIdentifier, names: Sequence[x509.GeneralName]) -> Credential:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self._certificate.subject, key).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Credential(_certificate_pem(builder.sign(self._key, hashes.SHA256())), _key_pem(key))


def write_signing_keys(private: Path, public: Path) -> None:
    """Write a new key pair, with which the API server signs and checks ServiceAccount tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(private, _key_pem(key))
    encoded = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_private(public, encoded)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)


def _name(common_name: str, organizations: Sequence[str] = ()) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in organizations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFETIME)
    )


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
