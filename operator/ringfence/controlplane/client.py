"""A small synchronous client of the API server for readiness, tokens and assertions in tests.

Law: every answer is returned as it is; a refusal is an answer, not an exception.
"""

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ringfence.controlplane.errors import ControlPlaneError

_TIMEOUT: Final = 30.0  # seconds
MERGE_PATCH: Final = "application/merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Answer:
    """What the API server said: the HTTP status and the body, parsed where it is JSON."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """Whether the request did what it asked for."""
        return self.status < 400  # noqa: PLR2004 - HTTP's own boundary

    def must(self) -> Any:
        """Return the body of a success. Raises ControlPlaneError, with the server's message, for anything else."""
        if not self.ok:
            message = self.body.get("message") if isinstance(self.body, dict) else self.body
            raise ControlPlaneError(f"the API server answered {self.status}: {message}")
        return self.body


class Client:
    """Speaks HTTPS to one API server with one client certificate; safe to use from any thread."""

    def __init__(self, url: str, *, ca: Path, certificate: Path) -> None:
        """`certificate` is one PEM file with the client's certificate and its key."""
        self._address = urlsplit(url).netloc
        self._tls = ssl.create_default_context(cafile=str(ca))
        self._tls.load_cert_chain(certificate)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        timeout: float = _TIMEOUT,
    ) -> Answer:
        """Send one request. Raises OSError or http.client.HTTPException where the server is not there."""
        connection = http.client.HTTPSConnection(self._address, context=self._tls, timeout=timeout)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": content_type, "Accept": "application/json"})
            response = connection.getresponse()
            return Answer(response.status, _parsed(response.read(), response.headers.get_content_type()))
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """Read an object, a list or any other path."""
        return self.request("GET", path)

    def delete(self, path: str) -> Answer:
        """Delete one object, or a collection."""
        return self.request("DELETE", path)


def _parsed(content: bytes, content_type: str) -> Any:
    return json.loads(content) if content_type == "application/json" else content.decode()
