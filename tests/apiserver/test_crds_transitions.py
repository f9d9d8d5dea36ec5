"""What must not change: updates on the real API server, remove-then-add included, with no operator running."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from ringfence.controlplane import Client
from ringfence.controlplane.client import APPLY_PATCH, MERGE_PATCH, Answer
from ringfence.model.registry import DEFINITIONS
from tests.objects import GONE, Edits, Object, complete, edited

pytestmark = pytest.mark.apiserver

UNPROCESSABLE: Final = 422
_RESOURCES: Final = {definition.resource.kind: definition.resource for definition in DEFINITIONS}


@dataclass(frozen=True)
class Transition:
    """One edit of a stored object that is refused, beside the nearest one that is allowed."""

    kind: str
    refused: Edits
    allowed: Edits
    message: str
    before: Edits = field(default_factory=dict)
    """What the stored object has other than the complete one."""


def _environment(name: str, **more: Any) -> Object:
    return {"name": name, **more}


_DEV, _QA, _PROD = _environment("dev"), _environment("qa"), _environment("prod", protected=True)
_STAGING = _environment("staging")
_HOLD = {"name": "case", "reason": "litigation"}
_ASKED = {**_HOLD, "release": {"reason": "settled", "requestedBy": "oidc:counsel"}}
_APPROVAL = {"environment": "prod", "revision": "rev-6f1c0a9d2b417e55", "by": "oidc:ciso"}

TRANSITIONS = [
    Transition(
        "Tenant", {"spec.residency": GONE}, {"spec.residency.regions": ["eu-central-1"]}, "residency must not change"
    ),
    Transition(
        "Tenant",
        {"spec.residency.regions": ["eu-central-1", "us-east-1"]},
        {"spec.displayName": "Acme"},
        "residency must not change",
    ),
    Transition(
        "Tenant",
        {"spec.residency.regions": ["eu-west-1", "eu-central-1", "us-east-1"]},
        {"spec.residency.regions": ["eu-west-1", "eu-central-1"]},  # a set has no order
        "residency must not change",
        before={"spec.residency.regions": ["eu-central-1", "eu-west-1"]},
    ),
    Transition(
        "Tenant",
        {"spec.residency.boundary": GONE},  # the default comes back
        {"spec.residency.boundary": "Cluster"},
        "residency must not change",
        before={
            "spec.residency.boundary": "Cluster",
            "spec.providers": GONE,
            "spec.notifications": GONE,
            "spec.network.egress": GONE,
        },
    ),
    Transition(
        "Tenant",
        {"spec.residency": {"regions": ["us-east-1"]}},  # what was never said can't be added later either
        {"spec.displayName": "Acme"},
        "residency must not change",
        before={"spec.residency": GONE},
    ),
    Transition(
        "Tenant",
        {"spec.environments": [_STAGING, _DEV, _PROD]},
        {"spec.environments": [_DEV, _QA, _STAGING, _PROD]},
        "the order of environments must not change",
    ),
    Transition(
        "Tenant",
        {"spec.environments": [_DEV, _STAGING, {**_PROD, "protected": False}]},
        {"spec.environments": [_DEV, {**_STAGING, "protected": True}, _PROD]},
        "the protection of an environment must not be switched off",
    ),
    Transition(
        "Tenant",
        {"spec.environments": [_DEV, _STAGING, _environment("prod")]},
        {"spec.environments": [_DEV, _PROD]},  # nobody is in staging
        "the protection of an environment must not be switched off",
        before={"spec.providers": GONE},
    ),
    Transition(
        "Namespace", {"spec.environment": "prod"}, {"spec.podSecurity": "baseline"}, "environment must not change"
    ),
    Transition("Namespace", {"spec.region": "us-east-1"}, {"spec.labels": {}}, "region must not change"),
    Transition("Namespace", {"spec.region": GONE}, {"spec.quota": GONE}, "region must not change"),
    Transition(
        "Namespace",
        {"spec.region": "us-east-1"},
        {"spec.quota": GONE},
        "region must not change",
        before={"spec.region": GONE},
    ),
    Transition(
        "ModelRoute",
        {"spec.approvals": [{**_APPROVAL, "by": "oidc:other"}]},
        {"spec.approvals": []},
        "an approval must not change",
    ),
    Transition(
        "ModelRoute",
        {"spec.approvals": [{key: _APPROVAL[key] for key in ("environment", "revision")}]},
        {"spec.approvals": [_APPROVAL, {**_APPROVAL, "environment": "staging"}]},
        "an approval must not change",
    ),
    Transition(
        "RetentionPolicy",
        {"spec.legalHolds": []},
        {"spec.legalHolds": [_HOLD, {**_HOLD, "name": "other"}]},
        "a legal hold stands",
        before={"spec.legalHolds": [_HOLD]},
    ),
    Transition(
        "RetentionPolicy",
        {"spec.legalHolds": GONE},
        {"spec.legalHolds": [_ASKED]},
        "a legal hold stands",
        before={"spec.legalHolds": [_HOLD]},
    ),
    Transition(
        "RetentionPolicy",
        {"spec.legalHolds": [{**_ASKED, "reason": "nothing"}]},
        {"spec.legalHolds": []},  # its release was asked for; who may remove it is a policy's business
        "a legal hold must not change",
        before={"spec.legalHolds": [_ASKED]},
    ),
    Transition(
        "RetentionPolicy",
        {"spec.legalHolds": [{**_HOLD, "scope": {"namespaces": ["dev"]}}]},
        {"spec.legalHolds": [_ASKED]},
        "a legal hold must not change",
        before={"spec.legalHolds": [_HOLD]},
    ),
]


class Store:
    """Objects of one tenant that nobody else uses, applied as a GitOps tool does it."""

    def __init__(self, admin: Client, tenant: str) -> None:
        self._admin, self._tenant = admin, tenant
        admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": tenant}}).must()

    def create(self, kind: str, edits: Edits) -> Object:
        """Apply the complete object with these edits; returns it as the API server answered."""
        raw = edited(complete(kind), edits)
        raw["metadata"] = {"name": self._tenant} if kind == "Tenant" else {"name": "a", "namespace": self._tenant}
        answer: Object = self._apply(raw).must()
        return answer

    def apply(self, stored: Object, edits: Edits) -> Answer:
        """Apply it again, edited: what is missing now is removed."""
        metadata = {key: stored["metadata"][key] for key in ("name", "namespace") if key in stored["metadata"]}
        return self._apply(edited({**stored, "metadata": metadata}, {"status": GONE, **edits}))

    def put(self, stored: Object, edits: Edits) -> Answer:
        """Replace the stored object by an edited one."""
        return self._admin.request("PUT", _path(stored), edited(stored, edits))

    def write_status(self, stored: Object, status: Object) -> None:
        """Write status, as the operator does."""
        path = f"{_path(stored)}/status"
        self._admin.request("PATCH", path, {"status": status}, content_type=MERGE_PATCH).must()

    def _apply(self, raw: Object) -> Answer:
        path = f"{_path(raw)}?fieldManager=gitops&force=true&fieldValidation=Strict"
        return self._admin.request("PATCH", path, raw, content_type=APPLY_PATCH)


def _path(raw: Object) -> str:
    return _RESOURCES[raw["kind"]].path(raw["metadata"].get("namespace"), raw["metadata"]["name"])


@pytest.fixture
def store(admin: Client, crds: list[str], tenant_name: Callable[[], str]) -> Store:
    assert crds
    return Store(admin, tenant_name())


def _title(row: Transition) -> str:
    return f"{row.kind}-{'-'.join(row.refused)}-{row.message}"


@pytest.mark.parametrize("row", TRANSITIONS, ids=_title)
def test_what_must_not_change_is_refused_and_its_neighbour_is_allowed(store: Store, row: Transition) -> None:
    """Neither a replacement nor an apply gets through, and no more is forbidden than was said."""
    stored = store.create(row.kind, row.before)
    for answer in (store.put(stored, row.refused), store.apply(stored, row.refused)):
        assert answer.status == UNPROCESSABLE
        assert row.message in answer.body["message"]
    assert store.put(stored, row.allowed).ok


def test_an_environment_that_a_namespace_is_in_stays(store: Store) -> None:
    """Its Namespaces would be left without rules; once nobody is in it, it goes."""
    tenant = store.create("Tenant", {})
    without = {"spec.environments": [_DEV, _PROD], "spec.providers": GONE}
    store.write_status(tenant, {"namespaces": [{"name": "web", "environment": "staging"}]})
    refused = store.apply(tenant, without)
    assert refused.status == UNPROCESSABLE
    assert "an environment that a Namespace is in must not be removed" in refused.body["message"]
    store.write_status(tenant, {"namespaces": []})
    assert store.apply(tenant, without).ok


def test_a_new_object_is_never_taken_for_a_finished_one(store: Store) -> None:
    """`helm --wait`, Flux and Argo CD look at observedGeneration before they look at conditions."""
    for kind in ("Tenant", "Namespace", "ModelRoute", "RetentionPolicy"):
        assert store.create(kind, {})["status"] == {"observedGeneration": -1}


def test_status_is_written_through_its_subresource_only(store: Store) -> None:
    """Whoever may write the spec can't forge what the operator answers."""
    tenant = store.create("Tenant", {})
    forged = store.put(tenant, {"status": {"observedGeneration": 7}}).must()
    assert forged["status"] == {"observedGeneration": -1}
