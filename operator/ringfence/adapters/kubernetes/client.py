"""The Kubernetes API over raw aiohttp and orjson: one method a request, no retries, no cache.

Law: whoever calls decides what a failure means; here it is only named. Secrets are never read, listed or watched.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import orjson
from yarl import URL

from ringfence import names
from ringfence.adapters.kubernetes import certificates, errors
from ringfence.adapters.kubernetes.config import Bearer, Connection
from ringfence.adapters.kubernetes.session import open_session
from ringfence.gateway.served import Issuer
from ringfence.model import kinds
from ringfence.model.kinds import Ref, ResourceType
from ringfence.plan.seen import Existence
from ringfence.ports.cluster import (
    ConflictError,
    Grant,
    Identity,
    NotFoundError,
    Object,
    Page,
    RefusedError,
    UnauthorizedError,
    UnreachableError,
    WatchEvent,
)

PAGE_SIZE: Final = 500
CALL_TIMEOUT: Final = aiohttp.ClientTimeout(total=30, sock_connect=5)
# Bookmarks come once a minute: a watch that is silent for longer is dead.
WATCH_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120)

APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
JSON: Final = "application/json"
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

JWKS: Final = "application/jwk-set+json"
METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

APPLY_QUERY: Final = f"?fieldManager={names.FIELD_MANAGER}&force=true&fieldValidation=Strict"
WRITE_QUERY: Final = f"?fieldManager={names.FIELD_MANAGER}&fieldValidation=Strict"


class KubernetesCluster:
    """Implements ``ringfence.ports.cluster.Cluster``."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection.server
        self._bearer = Bearer(connection)
        self._session = open_session(connection, self._bearer)

    async def close(self) -> None:
        """End the connections."""
        await self._session.close()

    # --- one request

    async def _call(
        self,
        method: str,
        path: str,
        body: object | None = None,
        *,
        content_type: str = JSON,
        accept: str = JSON,
        audit_id: str = "",
    ) -> Any:
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = content_type
        if audit_id:
            headers["Audit-ID"] = audit_id
        data = None if body is None else orjson.dumps(body)
        try:
            async with self._session.request(
                method, URL(self._server + path, encoded=True), data=data, headers=headers, timeout=CALL_TIMEOUT
            ) as answer:
                content = await answer.read()
                if answer.status >= 300:  # noqa: PLR2004 -- the API never redirects
                    raise self._failure(answer, content)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise UnreachableError(f"{self._server} gave no answer: {str(error) or type(error).__name__}") from error
        return orjson.loads(content)

    def _failure(self, answer: aiohttp.ClientResponse, content: bytes) -> Exception:
        error = errors.from_answer(answer.status, content, answer.headers)
        if isinstance(error, UnauthorizedError):
            self._bearer.forget()
        return error

    # --- reading

    async def pages(
        self, kind: ResourceType, *, namespace: str = "", selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[Page]:
        """List in pages of 500, all of one resource version."""
        path = kind.collection_path(namespace or None)
        query = {"limit": str(PAGE_SIZE), **({"labelSelector": selector} if selector else {})}
        accept = METADATA_LIST if metadata_only else JSON
        while True:
            document = await self._call("GET", f"{path}?{urlencode(query)}", accept=accept)
            metadata = document["metadata"]
            items = document["items"] or ()
            for item in items:  # built-in types are listed without these two
                item.setdefault("apiVersion", kind.api_version)
                item.setdefault("kind", kind.kind)
            yield Page(items, metadata["resourceVersion"])
            if not metadata.get("continue"):
                return
            query["continue"] = metadata["continue"]

    async def watch(self, kind: ResourceType, *, since: str, selector: str = "") -> AsyncIterator[WatchEvent]:
        """Stream what happened after ``since``, bookmarks included."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": since}
        if selector:
            query["labelSelector"] = selector
        url = URL(f"{self._server}{kind.collection_path()}?{urlencode(query)}", encoded=True)
        try:
            async with self._session.get(url, timeout=WATCH_TIMEOUT) as answer:
                if answer.status != 200:  # noqa: PLR2004 -- a watch that starts answers 200
                    raise self._failure(answer, await answer.read())
                async for line in _lines(answer.content):
                    yield _event(orjson.loads(line))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise UnreachableError(f"the watch of {kind.plural} broke: {str(error) or type(error).__name__}") from error

    async def served(self, group: str, version: str) -> frozenset[str]:
        """Ask discovery for one group and version."""
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        try:
            document = await self._call("GET", root)
        except NotFoundError:
            return frozenset()
        return frozenset(resource["name"] for resource in document["resources"])

    async def secret_exists(self, namespace: str, name: str) -> Existence:
        """A dry-run create answers 409 for a Secret that is there, and never with content."""
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}}
        try:
            await self._call("POST", f"{kinds.SECRET.collection_path(namespace)}?dryRun=All", body)
        except ConflictError:
            return Existence.PRESENT
        except (NotFoundError, RefusedError):
            return Existence.UNKNOWN
        return Existence.ABSENT

    async def issuer(self) -> Issuer:
        """Ask by discovery, which every ServiceAccount may (ClusterRole system:service-account-issuer-discovery)."""
        document = await self._call("GET", "/.well-known/openid-configuration")
        keys = await self._call("GET", "/openid/v1/jwks", accept=JWKS)
        return Issuer(str(document["issuer"]), orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode())

    async def claims_in(self, namespace: str) -> int:
        """Count by a metadata list."""
        pages = self.pages(kinds.CLAIM, namespace=namespace, metadata_only=True)
        return sum([len(page.items) async for page in pages])

    async def authority(self, namespace: str, name: str) -> str:
        """List by name, which is a right that there is; what isn't a certificate is forgotten at once."""
        query = urlencode({"fieldSelector": f"metadata.name={name}"})
        document = await self._call("GET", f"{kinds.CONFIG_MAP.collection_path(namespace)}?{query}")
        texts = [(item.get("data") or {}).get(names.AUTHORITY, "") for item in document["items"] or ()]
        return certificates.public_part("".join(texts))

    # --- writing

    async def create(self, ref: Ref, manifest: Object, *, audit_id: str) -> Object:
        """POST, which never touches what is there (409)."""
        path = ref.type.collection_path(ref.namespace or None) + WRITE_QUERY
        answer: Object = await self._call("POST", path, manifest, audit_id=audit_id)
        return answer

    async def deposit(self, ref: Ref, manifest: Object, data: Mapping[str, bytes], *, audit_id: str) -> Object:
        """POST the Secret, and have metadata answered: what is secret goes one way."""
        body = {**manifest, "data": {name: b64encode(content).decode() for name, content in data.items()}}
        path = ref.type.collection_path(ref.namespace) + WRITE_QUERY
        answer: Object = await self._call("POST", path, body, accept=METADATA, audit_id=audit_id)
        return answer

    async def apply(self, ref: Ref, manifest: Object, *, audit_id: str, uid: str = "", dry_run: bool = False) -> Object:
        """Server-side apply, by force: conflicts are about fields that we own."""
        if uid:
            manifest = {**manifest, "metadata": {**manifest["metadata"], "uid": uid}}
        path = ref.path + APPLY_QUERY + ("&dryRun=All" if dry_run else "")
        try:
            answer: Object = await self._call("PATCH", path, manifest, content_type=APPLY, audit_id=audit_id)
        except RefusedError as error:
            if uid and "metadata.uid" in error.message:  # to an apply, a namesake is an invalid field
                raise ConflictError(error.message, status=error.status) from error
            raise
        return answer

    async def delete(self, ref: Ref, *, uid: str, audit_id: str) -> Object:
        """Delete with the uid as precondition; a namesake made since is left alone (409)."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        answer: Object = await self._call("DELETE", ref.path, options, audit_id=audit_id)
        return answer

    async def merge(self, ref: Ref, patch: Object, *, audit_id: str, resource_version: str = "") -> Object:
        """Merge patch, with the resource version as precondition where one is given."""
        if resource_version:
            patch = {**patch, "metadata": {**patch.get("metadata", {}), "resourceVersion": resource_version}}
        answer: Object = await self._call("PATCH", ref.path + WRITE_QUERY, patch, content_type=MERGE, audit_id=audit_id)
        return answer

    async def patch_status(self, ref: Ref, status: Object, *, uid: str) -> Object:
        """Merge patch of the status; a uid that differs is refused by the API server as a conflict."""
        patch = {"metadata": {"uid": uid}, "status": status}
        answer: Object = await self._call("PATCH", f"{ref.path}/status{WRITE_QUERY}", patch, content_type=MERGE)
        return answer

    async def create_event(self, event: Object) -> None:
        """Post into the namespace that the event names."""
        await self._call("POST", kinds.EVENT.collection_path(event["metadata"]["namespace"]), event)

    # --- election and rights

    async def get_lease(self, ref: Ref) -> Object | None:
        """Read the Lease."""
        try:
            lease: Object = await self._call("GET", ref.path)
        except NotFoundError:
            return None
        return lease

    async def put_lease(self, ref: Ref, lease: Object) -> Object:
        """Create it, or replace it where it carries a resource version."""
        answer: Object
        if lease["metadata"].get("resourceVersion"):
            answer = await self._call("PUT", ref.path, lease)
        else:
            answer = await self._call("POST", ref.type.collection_path(ref.namespace), lease)
        return answer

    async def whoami(self) -> Identity:
        """Ask by a SelfSubjectReview."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self._call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
        user = answer["status"]["userInfo"]
        return Identity(user.get("username", ""), frozenset(user.get("groups") or ()))

    async def grants(self, namespace: str) -> Sequence[Grant]:
        """Ask by a SelfSubjectRulesReview; rules for single named objects are left out."""
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        answer = await self._call("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body)
        return [
            Grant(frozenset(rule["verbs"]), frozenset(rule["apiGroups"] or ()), frozenset(rule["resources"] or ()))
            for rule in answer["status"]["resourceRules"]
            if not rule.get("resourceNames")
        ]


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Whole lines of a stream; aiohttp's own reader refuses lines above 128 kB, and objects may have more."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line


def _event(document: Mapping[str, Any]) -> WatchEvent:
    if document["type"] == "ERROR":
        raise errors.from_status_object(document["object"])
    return WatchEvent(document["type"], document["object"])
