"""What may be known of a ConfigMap in which a tenant publishes an authority.

Law: certificates are public and leave this function as certificates; whatever else somebody put beside them, a private
key among them, does not.
"""

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
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return ""
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in found[:_MOST])
