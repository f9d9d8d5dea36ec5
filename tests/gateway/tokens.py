"""Tokens of ServiceAccounts, signed by an issuer of the tests' own (RFC 7519, RS256).

Law: what is signed here is what a test asks for, be it ever so wrong; a gateway has to see that.
"""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ringfence import names
from ringfence.gateway.served import Issuer

URL: Final = "https://kubernetes.default.svc.cluster.local"
LIFETIME: Final = 3600
"""Seconds."""


@dataclass
class TokenIssuer:
    """Signs what it is asked to."""

    key_id: str = "one"
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def issuer(self) -> Issuer:
        """What a gateway is told of it."""
        return Issuer(URL, json.dumps({"keys": [self.jwk]}))

    @property
    def jwk(self) -> dict[str, str]:
        """Its public key (RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        known = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.key_id}
        return {**known, "n": _integer(numbers.n), "e": _integer(numbers.e)}

    @property
    def pem(self) -> bytes:
        """Its public key, as who confuses algorithms signs with (CVE-2015-9235)."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form)

    @property
    def header(self) -> dict[str, Any]:
        """What its tokens begin with."""
        return {"alg": "RS256", "typ": "JWT", "kid": self.key_id}

    def token(self, namespace: str, account: str = "default", /, **claims: Any) -> str:
        """A token; a claim that is None is left out."""
        return self.signed(self.header, service_account(namespace, account, **claims))

    def signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """Any token."""
        text = _unsigned(header, claims)
        return f"{text}.{_base64(self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def service_account(namespace: str, account: str = "default", /, **claims: Any) -> dict[str, Any]:
    """The claims of a projected token of now; one that is None is left out."""
    now = int(time.time())
    who = {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid(namespace, account)}}
    whole = {
        "iss": URL,
        "aud": [names.GATEWAY_AUDIENCE],
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "sub": f"system:serviceaccount:{namespace}:{account}",
        "kubernetes.io": who,
        **claims,
    }
    return {name: value for name, value in whole.items() if value is not None}


def uid(namespace: str, account: str) -> str:
    """Of a ServiceAccount that was never made again."""
    return f"uid-of-{namespace}-{account}"


def unsigned(claims: dict[str, Any], algorithm: str = "none") -> str:
    """A token that nobody signed (RFC 7519, section 6)."""
    return f"{_unsigned({'alg': algorithm, 'typ': 'JWT'}, claims)}."


def signed_by_secret(secret: bytes, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token that is signed by something that both sides know (HS256)."""
    text = _unsigned(header, claims)
    return f"{text}.{_base64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{_base64(json.dumps(header).encode())}.{_base64(json.dumps(claims).encode())}"


def _integer(number: int) -> str:
    return _base64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
