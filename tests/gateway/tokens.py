"""Tokens of ServiceAccounts, signed by an issuer of the tests' own (RFC 7519, RS256)."""

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ringfence import names
from ringfence.gateway.served import Issuer

URL: Final = "https://kubernetes.default.svc.cluster.local"


@dataclass
class TokenIssuer:
    """Signs what it is asked to."""

    key_id: str = "one"
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def issuer(self) -> Issuer:
        """What a gateway is told of it."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.key_id}
        parts = {"n": _integer(numbers.n), "e": _integer(numbers.e)}
        return Issuer(URL, json.dumps({"keys": [{**key, **parts}]}))

    def token(self, namespace: str, account: str = "default", *, age: int = 0, **claims: Any) -> str:
        """A token for an hour, ``age`` seconds old."""
        now = int(time.time()) - age
        whole = {
            "iss": URL,
            "aud": [names.GATEWAY_AUDIENCE],
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "sub": f"system:serviceaccount:{namespace}:{account}",
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": f"uid-of-{account}"}},
            **claims,
        }
        return self.signed({"alg": "RS256", "typ": "JWT", "kid": self.key_id}, whole)

    def signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """Any token."""
        text = f"{_encoded(header)}.{_encoded(claims)}"
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_base64(signature)}"


def _encoded(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part).encode())


def _integer(number: int) -> str:
    return _base64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
