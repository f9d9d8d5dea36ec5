"""How TLS is spoken, on either side.

Law: 1.2 or later, with keys that nobody can compute afterwards and ciphers that notice a changed byte.
"""

from typing import Any, Final

_SUITES: Final = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
]
_PARAMETERS: Final = {
    "tls_minimum_protocol_version": "TLSv1_2",
    "tls_maximum_protocol_version": "TLSv1_3",
    "cipher_suites": _SUITES,
}


def is_strong(parameters: Any) -> bool:
    """Whether TLS is limited to that; `parameters` are those of one context, whatever they are."""
    return bool(parameters == _PARAMETERS)
