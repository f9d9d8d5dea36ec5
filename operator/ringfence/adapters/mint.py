"""Certificates of gateways, by authorities that live for one signature.

Laws: an authority's key never leaves the function that made it. A gateway's key is in memory until its Secret is
written, a minute at most, and in no log, no record and no answer.

RFC 5280; CA/Browser Forum Baseline Requirements 7.1 for the extensions, which strict clients (OpenSSL's
X509_V_FLAG_X509_STRICT, Python 3.13) ask for.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ringfence import names
from ringfence.plan.seen import Issued

KEPT_FOR: Final = 60.0
"""Seconds in which a pair must be written; the plan that asked for it is made anew after a failure."""
_SKEW: Final = timedelta(minutes=10)
"""By how much the clocks of callers may be behind."""
_DIGITS: Final = 10


@dataclass(frozen=True, slots=True, repr=False)
class _Pair:
    name: str
    content: Mapping[str, bytes]
    until: float


class CertificateMint:
    """Implements ``ringfence.ports.mint.Mint``."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._pairs: dict[str, _Pair] = {}

    def issue(self, namespace: str, hosts: Sequence[str], now: datetime, ends: datetime) -> Issued:
        """Make an authority and a key, sign once, and throw the authority's key away."""
        key = ec.generate_private_key(ec.SECP256R1())
        authority, leaf = _sign(namespace, hosts, key.public_key(), now - _SKEW, ends)
        name = names.GATEWAY_TLS_PREFIX + hashlib.sha256(leaf).hexdigest()[:_DIGITS]
        self._forget_old()
        self._pairs[namespace] = _Pair(name, {"tls.crt": leaf, "tls.key": _private(key)}, self._monotonic() + KEPT_FOR)
        return Issued(name, authority.decode(), now.replace(microsecond=0), ends.replace(microsecond=0))

    def pair(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """Give what the Secret holds."""
        self._forget_old()
        found = self._pairs[namespace]
        if found.name != name:
            raise KeyError(name)
        return found.content

    def spent(self, namespace: str, name: str) -> None:
        """Forget it."""
        if namespace in self._pairs and self._pairs[namespace].name == name:
            del self._pairs[namespace]

    def _forget_old(self) -> None:
        now = self._monotonic()
        self._pairs = {namespace: pair for namespace, pair in self._pairs.items() if pair.until > now}


def _sign(
    namespace: str, hosts: Sequence[str], key: ec.EllipticCurvePublicKey, starts: datetime, ends: datetime
) -> tuple[bytes, bytes]:
    """The certificates of a new authority and of ``key``, PEM."""
    authority = ec.generate_private_key(ec.SECP256R1())
    issuer = _name(f"{names.GATEWAY} of {namespace}")
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    root = (
        _builder(issuer, issuer, authority.public_key(), starts, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(host) for host in hosts], None), critical=True)
        .add_extension(identifier, critical=False)
    )
    leaf = (
        _builder(_name(hosts[0][:64]), issuer, key, starts, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    return _signed(root, authority), _signed(leaf, authority)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, starts: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
