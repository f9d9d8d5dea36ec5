"""An authority of the tests' own, and certificates by it."""

import datetime
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


@dataclass
class Certificates:
    """Signs for any host."""

    folder: Path
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._certificate = self._signed("authority", self._key, is_authority=True)
        self.authority.write_bytes(_pem(self._certificate))

    @property
    def authority(self) -> Path:
        """The authority's certificate."""
        return self.folder / "authority.crt"

    def server(self, host: str = "localhost", kind: str = "ECDSA") -> dict[str, bytes]:
        """A certificate and its key, an ECDSA or an RSA one, as in a Secret of type `kubernetes.io/tls`."""
        key = ec.generate_private_key(ec.SECP256R1()) if kind == "ECDSA" else rsa.generate_private_key(65537, 2048)
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        return {"tls.crt": _pem(self._signed(host, key)), "tls.key": private}

    def serving(self, host: str) -> ssl.SSLContext:
        """What a server of that host speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for name, content in self.server(host).items():
            (self.folder / f"{host}-{name}").write_bytes(content)
        context.load_cert_chain(self.folder / f"{host}-tls.crt", self.folder / f"{host}-tls.key")
        return context

    def trusting(self, *protocols: str) -> ssl.SSLContext:
        """What a client speaks TLS with that trusts this authority, offering these protocols (ALPN)."""
        context = ssl.create_default_context(cafile=self.authority)
        context.set_alpn_protocols(list(protocols))
        return context

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *, is_authority: bool = False
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name("authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
