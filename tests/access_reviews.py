"""Questions to a real API server about what somebody may do, many at a time."""

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson

from ringfence.controlplane import ControlPlane
from ringfence.plan.rights import Action

_ACCOUNT: Final = "system:serviceaccount:"
_AT_ONCE: Final = 8
_JSON: Final = {"Content-Type": "application/json"}
_ACCESS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_RULES: Final = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


@dataclass(frozen=True)
class Identity:
    """A user as the API server knows him."""

    user: str
    groups: tuple[str, ...] = ()

    @property
    def all_groups(self) -> tuple[str, ...]:
        """His groups, and those that the API server adds by itself."""
        if not self.user.startswith(_ACCOUNT):
            return (*self.groups, "system:authenticated")
        namespace = self.user.removeprefix(_ACCOUNT).partition(":")[0]
        return (*self.groups, "system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")


@dataclass(frozen=True)
class Ask:
    """Whether somebody may do something in a namespace; empty: in all of them."""

    identity: Identity
    action: Action
    namespace: str

    @property
    def review(self) -> dict[str, Any]:
        """The SubjectAccessReview."""
        resource, _, subresource = self.action.resource.partition("/")
        attributes = {
            "group": self.action.group,
            "resource": resource,
            "subresource": subresource,
            "verb": self.action.verb,
            "name": self.action.name,
            "namespace": self.namespace,
        }
        spec = {
            "user": self.identity.user,
            "groups": self.identity.all_groups,
            "resourceAttributes": {key: value for key, value in attributes.items() if value},
        }
        return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


@dataclass(frozen=True)
class Reviews:
    """Asks as an administrator."""

    plane: ControlPlane

    def allow(self, asked: Sequence[Ask]) -> list[bool]:
        """Whether each is allowed, by one SubjectAccessReview each."""
        answers = asyncio.run(self._post(_ACCESS, [(ask.review, {}) for ask in asked]))
        return [answer["status"]["allowed"] for answer in answers]

    def rules(self, identity: Identity, namespace: str) -> frozenset[Action]:
        """Everything that somebody may do in a namespace, as the API server tells himself."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        headers = [
            ("Impersonate-User", identity.user),
            *(("Impersonate-Group", group) for group in identity.all_groups),
        ]
        (answer,) = asyncio.run(self._post(_RULES, [(review, headers)]))
        assert not answer["status"]["incomplete"], answer["status"]
        return frozenset(action for rule in answer["status"]["resourceRules"] for action in _actions(rule))

    async def _post(self, path: str, bodies: Sequence[tuple[dict[str, Any], Any]]) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = [{}] * len(bodies)
        queue = iter(enumerate(bodies))
        connector = aiohttp.TCPConnector(ssl=self._trust(), limit=_AT_ONCE)
        async with aiohttp.ClientSession(self.plane.url, connector=connector) as session, asyncio.TaskGroup() as tasks:

            async def work() -> None:
                for index, (body, extra) in queue:
                    headers = [*_JSON.items(), *extra]
                    async with session.post(path, data=orjson.dumps(body), headers=headers) as answer:
                        answers[index] = orjson.loads(await answer.read())
                        assert answer.status == 201, answers[index]

            for _ in range(_AT_ONCE):
                tasks.create_task(work())
        return answers

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.plane.ca)
        assert self.plane.admin.get("/readyz").ok  # the client writes its certificate when it is first used
        context.load_cert_chain(self.plane.folder / "admin.pem")
        return context


def _actions(rule: dict[str, Any]) -> Iterable[Action]:
    for group in rule.get("apiGroups", ()):
        for resource in rule.get("resources", ()):
            for verb in rule["verbs"]:
                for name in rule.get("resourceNames") or ("",):
                    yield Action(group, resource, verb, name)
