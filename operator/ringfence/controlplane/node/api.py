"""How the node speaks to the API server: as a node, with a node's rights; and as whoever places pods on it.

Law: what a kubelet could not read, this node does not read either: the Node authorizer decides.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from ringfence.controlplane.access import Access
from ringfence.controlplane.client import MERGE_PATCH
from ringfence.controlplane.node.machine import NODE

_USER: Final = f"system:node:{NODE}"
_GROUP: Final = "system:nodes"
_SLICE_CONTROLLER: Final = "system:serviceaccount:kube-system:endpointslice-controller"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
NOT_FOUND: Final = 404
CONFLICT: Final = 409


class RefusedError(Exception):
    """The API server said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True)
class Api:
    """One identity at the API server."""

    url: str
    session: aiohttp.ClientSession

    @classmethod
    def as_node(cls, access: Access) -> Self:
        """With the rights of a node."""
        return cls._open(access, access.certificate(_USER, [_GROUP]))

    @classmethod
    def as_slice_controller(cls, access: Access) -> Self:
        """With the rights of the controller that writes EndpointSlices, which nobody else may."""
        return cls._open(access, access.certificate(_SLICE_CONTROLLER))

    @classmethod
    def as_admin(cls, access: Access) -> Self:
        """With all rights."""
        return cls._open(access, access.admin_certificate)

    @classmethod
    def _open(cls, access: Access, certificate: Path) -> Self:
        tls = ssl.create_default_context(cafile=str(access.ca))
        tls.load_cert_chain(certificate)
        return cls(access.url, aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), timeout=_TIMEOUT))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def get(self, path: str, **query: str) -> Any:
        """Read something. Raises RefusedError."""
        return await self._send("GET", path, None, "application/json", query)

    async def find(self, path: str) -> Any | None:
        """Read something that may not be there. Raises RefusedError for any other refusal."""
        try:
            return await self.get(path)
        except RefusedError as refusal:
            if refusal.status == NOT_FOUND:
                return None
            raise

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make something. Raises RefusedError."""
        return await self._send("POST", path, body, "application/json", {})

    async def merge(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change something. Raises RefusedError."""
        return await self._send("PATCH", path, body, MERGE_PATCH, {})

    async def put(self, folder: str, body: Mapping[str, Any]) -> Any:
        """Make something, or replace what it was. Raises RefusedError."""
        try:
            return await self.post(folder, body)
        except RefusedError as refusal:
            if refusal.status != CONFLICT:
                raise
        return await self._send("PUT", f"{folder}/{body['metadata']['name']}", body, "application/json", {})

    async def delete(self, path: str, body: Mapping[str, Any]) -> Any:
        """Delete something. Raises RefusedError."""
        return await self._send("DELETE", path, body, "application/json", {})

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, content_type: str, query: Mapping[str, str]
    ) -> Any:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        url = f"{self.url}{path}"
        async with self.session.request(method, url, json=body, headers=headers, params=query) as answer:
            content = await answer.json()
            if not answer.ok:
                raise RefusedError(answer.status, content.get("message", ""))
            return content
