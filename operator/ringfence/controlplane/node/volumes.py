"""The files of a pod's volumes, from the API server.

Law: a volume that can't be had whole is not there at all, and the pod waits; what is optional may be missing.
"""

import base64
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ringfence.controlplane.node.api import Api
from ringfence.controlplane.node.projection import project

Contents = dict[str, bytes]
_RENEWED_AFTER: Final = 0.8  # of a token's life, as a kubelet does


class MissingError(Exception):
    """Something that a volume needs is not there, or is of a kind that this node does not know."""


class Volumes:
    """All volumes of one pod, each in a folder."""

    def __init__(self, api: Api, pod: Mapping[str, Any], folder: Path) -> None:
        self._api = api
        self._pod = pod
        self._folder = folder
        self._tokens: dict[tuple[str, int], tuple[float, str]] = {}

    def folder(self, name: str) -> Path:
        """Where a volume lies."""
        return self._folder / name

    async def refresh(self) -> None:
        """Let every volume have what the API server has now. Raises MissingError, or RefusedError."""
        for volume in self._pod["spec"].get("volumes", ()):
            folder = self.folder(volume["name"])
            if "emptyDir" in volume:
                folder.mkdir(parents=True, exist_ok=True)
            else:
                project(folder, await self._contents(volume))

    async def _contents(self, volume: Mapping[str, Any]) -> Contents:
        if "projected" in volume:
            parts = [await self._source(source) for source in volume["projected"]["sources"]]
            return {name: content for part in parts for name, content in part.items()}
        return await self._source(volume)

    async def _source(self, source: Mapping[str, Any]) -> Contents:
        """Contents of a volume of one source, or of one source of a projected volume."""
        if (wanted := source.get("configMap")) is not None:
            return await self._object("configmaps", wanted, wanted["name"])
        if (wanted := source.get("secret")) is not None:
            return await self._object("secrets", wanted, wanted.get("secretName") or wanted["name"])
        if (wanted := source.get("serviceAccountToken")) is not None:
            return {wanted["path"]: (await self._token(wanted)).encode()}
        if (wanted := source.get("downwardAPI")) is not None:
            return {item["path"]: self._field(item).encode() for item in wanted.get("items", ())}
        raise MissingError(f"volumes of kind {', '.join(set(source) - {'name'})} are not known here")

    async def _object(self, plural: str, wanted: Mapping[str, Any], name: str) -> Contents:
        found = await self._api.find(f"/api/v1/namespaces/{self._namespace}/{plural}/{name}")
        if found is None:
            if wanted.get("optional"):
                return {}
            raise MissingError(f"{plural} {self._namespace}/{name} is not there")
        return _chosen(_data(found, encoded=plural == "secrets"), wanted, name)

    async def _token(self, wanted: Mapping[str, Any]) -> str:
        """A token of the pod's ServiceAccount, which ends with the pod (TokenRequest)."""
        key = (wanted.get("audience", ""), int(wanted.get("expirationSeconds", 3600)))
        until, token = self._tokens.get(key, (0.0, ""))
        if time.monotonic() >= until:
            token = await self._request_token(*key)
            self._tokens[key] = (time.monotonic() + _RENEWED_AFTER * key[1], token)
        return token

    async def _request_token(self, audience: str, seconds: int) -> str:
        metadata = self._pod["metadata"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        audiences = {"audiences": [audience]} if audience else {}
        request = {"spec": {**audiences, "expirationSeconds": seconds, "boundObjectRef": bound}}
        account = self._pod["spec"].get("serviceAccountName", "default")
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token"
        return str((await self._api.post(path, request))["status"]["token"])

    def _field(self, item: Mapping[str, Any]) -> str:
        found: Any = self._pod
        for part in item["fieldRef"]["fieldPath"].split("."):
            found = found[part]
        return str(found)

    @property
    def _namespace(self) -> str:
        return str(self._pod["metadata"]["namespace"])


def _data(found: Mapping[str, Any], *, encoded: bool) -> Contents:
    plain = {} if encoded else {name: text.encode() for name, text in (found.get("data") or {}).items()}
    binary = (found.get("data") if encoded else found.get("binaryData")) or {}
    return {**plain, **{name: base64.b64decode(text) for name, text in binary.items()}}


def _chosen(data: Contents, wanted: Mapping[str, Any], name: str) -> Contents:
    """All keys by their own names, or those that `items` lists by the paths that it gives them."""
    if not wanted.get("items"):
        return data
    present = [item for item in wanted["items"] if item["key"] in data]
    if len(present) < len(wanted["items"]) and not wanted.get("optional"):
        raise MissingError(f"{name} lacks a key that a volume wants")
    return {item["path"]: data[item["key"]] for item in present}
