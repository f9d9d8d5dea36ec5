"""Requests to a real API server as real users, many at a time.

Law: nothing here changes the cluster but what is asked for without a dry run; a refusal is an answer.
"""

import asyncio
import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import yaml

from ringfence.cli.glass import REASON
from ringfence.controlplane import ControlPlane

_AT_ONCE: Final = 8
_ACCOUNT: Final = "system:serviceaccount:"
_MERGE: Final = "application/merge-patch+json"
_APPLY: Final = "application/apply-patch+yaml"
_JSON: Final = "application/json"
_DECODER: Final = json.JSONDecoder()
"""Reads the first document: a watch answers with one after the other."""
DRY: Final = {"dryRun": "All"}


@dataclass(frozen=True)
class Who:
    """A user with a client certificate of his own, a member of ``groups``; a ServiceAccount has a token instead.

    ``extra`` is what an identity provider would tell; certificates can't, so an administrator impersonates such a user.
    """

    user: str
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Request:
    """One request; the query has ``dryRun`` unless it is a connection, or reads."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=lambda: DRY)
    content_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beyond those of every request; who acts as somebody else says so here."""

    @property
    def connects(self) -> bool:
        """Whether it opens a connection to a pod, which is there for nobody without nodes."""
        return not self.query.get("dryRun")


@dataclass(frozen=True)
class Answer:
    """What the API server said."""

    status: int
    message: str
    warnings: tuple[str, ...]
    body: Mapping[str, Any]

    @property
    def forbidden(self) -> bool:
        """Whether it was refused by a role or a policy."""
        return self.status == 403


def create(path: str, body: Mapping[str, Any]) -> Request:
    """Create an object, if only to see what would be said."""
    return Request("POST", path, body, {**DRY, "fieldValidation": "Strict"})


def patch(path: str, body: Mapping[str, Any]) -> Request:
    """Change an object by a merge patch."""
    return Request("PATCH", path, body, DRY, _MERGE)


def apply(path: str, body: Mapping[str, Any]) -> Request:
    """Apply by force, as a GitOps controller does."""
    return Request("PATCH", path, body, {**DRY, "fieldManager": "gitops", "force": "true"}, _APPLY)


def replace(path: str, body: Mapping[str, Any]) -> Request:
    """Write an object whole, or a subresource that takes it so."""
    return Request("PUT", path, body)


def delete(path: str, **options: Any) -> Request:
    """Delete an object or a collection, with these options."""
    return Request("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"], **options})


def connect(path: str) -> Request:
    """Open a connection."""
    return Request("POST", path, None, {"command": "sh", "stdout": "true"})


class Asker:
    """Keeps a session for each user."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._tokens: dict[Who, str] = {}

    def ask(self, asked: Sequence[tuple[Who, Request]]) -> list[Answer]:
        """Send all of them, some at once, and return the answers in order."""
        return asyncio.run(self._ask(asked))

    async def _ask(self, asked: Sequence[tuple[Who, Request]]) -> list[Answer]:
        answers: dict[int, Answer] = {}
        queue = iter(enumerate(asked))
        async with AsyncExitStack() as stack:
            sessions = {who: await stack.enter_async_context(self._session(who)) for who in {who for who, _ in asked}}

            async def work() -> None:
                for index, (who, request) in queue:
                    answers[index] = await _send(sessions[who], request)

            async with asyncio.TaskGroup() as tasks:
                for _ in range(_AT_ONCE):
                    tasks.create_task(work())
        return [answers[index] for index in range(len(asked))]

    def _session(self, who: Who) -> aiohttp.ClientSession:
        tls, headers = self._credentials(who)
        connector = aiohttp.TCPConnector(ssl=tls, limit=_AT_ONCE)
        return aiohttp.ClientSession(self._plane.url, connector=connector, headers=headers)

    def _credentials(self, who: Who) -> tuple[ssl.SSLContext, list[tuple[str, str]]]:
        tls = ssl.create_default_context(cafile=self._plane.ca)
        if who.user.startswith(_ACCOUNT):
            return tls, [("Authorization", f"Bearer {self._token(who)}")]
        if who.extra:
            tls.load_cert_chain(self._plane.certificate("impersonator", ["system:masters"]))
            return tls, list(_impersonation(who))
        tls.load_cert_chain(self._plane.certificate(who.user, who.groups))
        return tls, []

    def _token(self, who: Who) -> str:
        if who not in self._tokens:
            namespace, name = who.user.removeprefix(_ACCOUNT).split(":")
            file = self._plane.service_account_kubeconfig(namespace, name, annotations=REASON)
            self._tokens[who] = yaml.safe_load(file.read_text())["users"][0]["user"]["token"]
        return self._tokens[who]


def _impersonation(who: Who) -> Iterator[tuple[str, str]]:
    yield "Impersonate-User", who.user
    yield from (("Impersonate-Group", group) for group in who.groups)
    yield from ((f"Impersonate-Extra-{name.replace('/', '%2f')}", value) for name, value in who.extra)


async def _send(session: aiohttp.ClientSession, request: Request) -> Answer:
    data = None if request.body is None else json.dumps(request.body)
    async with session.request(
        request.method,
        request.path,
        data=data,
        params=request.query,
        headers={"Content-Type": request.content_type, "Accept": _JSON, **request.headers},
    ) as answer:
        text = await answer.text()
        body = _DECODER.raw_decode(text or "{}")[0] if answer.content_type == _JSON else {"message": text}
        return Answer(answer.status, body.get("message", ""), tuple(answer.headers.getall("Warning", ())), body)
