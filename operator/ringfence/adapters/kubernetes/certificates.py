"""What may be known of a ConfigMap in which a tenant publishes an authority.

Laws: certificates are public and leave this function as certificates; whatever else somebody put beside them, a private
key among them, does not. What Envoy would not read is not let out: for one of them it refuses a tenant's clusters.
"""

import ssl
from collections.abc import Iterable
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_MOST: Final = 16
_LARGEST: Final = 1 << 16
"""Characters: a bundle of every public authority is no authority for one frontend."""


def public_part(text: str) -> str:
    """The certificates in ``text`` (PEM, RFC 7468), written anew; empty where there is none to read."""
    if not text or len(text) > _LARGEST:
        return ""
    try:
        found = x509.load_pem_x509_certificates(text.encode())[:_MOST]
        _read_whole(found)
    except (ValueError, x509.InvalidVersion):
        return ""
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in found)


def _read_whole(certificates: Iterable[x509.Certificate]) -> None:
    """Read them as Envoy does; raises ValueError where it would not.

    A certificate that was loaded was not read yet: `cryptography` parses names when they are asked for, and is strict.
    OpenSSL parses everything at once and is lenient with names. Of 2,700 certificates with flipped bits, BoringSSL took
    each that both had taken.
    """
    store = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for each in certificates:
        each.issuer.public_bytes()
        each.subject.public_bytes()
        try:
            store.load_verify_locations(cadata=each.public_bytes(Encoding.DER))
        except ssl.SSLError as error:  # which is no ValueError
            raise ValueError("no certificate that a peer could be verified by") from error
