"""Requests over one kept connection, and how long the answer took: the client's own share is the same every time."""

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

from ringfence.controlplane import ControlPlane
from tests.attack.asking import Request, Who

_TIMEOUT: Final = 60.0  # seconds


class Wire:
    """One user's connection to one API server."""

    def __init__(self, plane: ControlPlane, url: str, who: Who) -> None:
        """`who` shows a certificate, a ServiceAccount too: its token would be checked on every request."""
        tls = ssl.create_default_context(cafile=str(plane.ca))
        tls.load_cert_chain(plane.certificate(who.user, who.groups))
        self._connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=tls, timeout=_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, request: Request) -> tuple[int, Mapping[str, Any], float]:
        """Status, body and seconds from the first byte sent to the last one read."""
        body = None if request.body is None else json.dumps(request.body)
        query = f"?{urlencode(request.query)}" if request.query else ""
        headers = {"Content-Type": request.content_type, "Accept": "application/json"}
        begun = time.perf_counter()
        self._connection.request(request.method, request.path + query, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        taken = time.perf_counter() - begun
        is_json = answer.headers.get_content_type() == "application/json"  # an unknown path is answered in plain text
        return answer.status, json.loads(content) if is_json else {}, taken
