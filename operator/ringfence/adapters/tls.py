"""Whom a connection trusts: the authorities of one gateway, and no other."""

import ssl
from functools import lru_cache
from typing import Final

_KEPT: Final = 256
"""Contexts: one for each tenant, and one more for each renewal."""


@lru_cache(maxsize=_KEPT)
def trusting(authority: str) -> ssl.SSLContext:
    """Trust these certificates (PEM), by TLS 1.2 and later. Raises ssl.SSLError where they can't be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Between certificates a file may say anything in any language, and OpenSSL passes it by; Python reads ASCII only.
    context.load_verify_locations(cadata=authority.encode("ascii", "ignore").decode())
    return context
