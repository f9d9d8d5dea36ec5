"""What of a tenant's ConfigMap becomes part of a gateway's configuration."""

import base64
import ssl
from pathlib import Path

import pytest

from ringfence.adapters.kubernetes.certificates import public_part
from tests.gateway.certificates import Certificates

NAME = b"\x0c\x09authority"
"""A name's only part, DER: a UTF8String of nine bytes."""


@pytest.fixture
def authority(tmp_path: Path) -> str:
    """A certificate, PEM."""
    return Certificates(tmp_path).authority.read_text()


def changed(authority: str, part: bytes, otherwise: bytes) -> str:
    der = ssl.PEM_cert_to_DER_cert(authority)
    assert part in der
    text = base64.encodebytes(der.replace(part, otherwise)).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("part", "otherwise"),
    [
        (NAME, b"\x08\x09authority"),
        (NAME, b"\x0c\x09authorit\x8a"),
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x65"),
    ],
    ids=["a name of no kind", "a name that is no UTF-8", "a version that there is not"],
)
def test_a_certificate_that_envoy_would_not_read_is_none(authority: str, part: bytes, otherwise: bytes) -> None:
    """One such authority would have it refuse every cluster of the tenant; those beside it are not told either."""
    assert public_part(changed(authority, part, part)) == authority
    assert public_part(changed(authority, part, otherwise)) == ""
    assert public_part(authority + changed(authority, part, otherwise)) == ""


def test_an_authority_that_is_there_twice_is_told_so(authority: str) -> None:
    """As bundles are put together."""
    assert public_part(authority + authority) == authority + authority
