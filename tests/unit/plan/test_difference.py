"""Whether a live object is as desired."""

import copy
from typing import Any

import pytest

from ringfence.plan.difference import difference, relevant, removals, replacement
from tests.objects import edited

POLICY: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "allow", "namespace": "acme-dev", "labels": {"ringfence.dev/tenant": "acme"}},
    "spec": {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": [{"podSelector": {"matchLabels": {"a": "b"}}}], "ports": [{"protocol": "TCP", "port": 80}]}
        ],
    },
}
QUOTA: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "ringfence", "namespace": "acme-dev", "labels": {}},
    "spec": {"hard": {"requests.cpu": "1500m", "pods": "10"}},
}
CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "ringfence-gateway", "namespace": "acme-dev"},
    "data": {"url": "https://example"},
}
GUARDRAIL: dict[str, Any] = {
    "apiVersion": "ringfence.dev/v1alpha1",
    "kind": "Guardrail",
    "metadata": {"name": "ringfence", "namespace": "acme-dev", "finalizers": ["ringfence.dev/operator"]},
    "spec": {"tenant": "acme", "hosts": [], "subjects": ["Group:a", "Group:b"]},
}
CORE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "acme-dev", "labels": {"ringfence.dev/tenant": "acme"}},
}
EXTERNAL: dict[str, Any] = {
    "apiVersion": "external-secrets.io/v1",
    "kind": "ExternalSecret",
    "metadata": {"name": "db", "namespace": "acme-dev"},
    "spec": {"target": {"name": "db"}, "dataFrom": [{"extract": {"key": "acme/db"}}]},
}


def stored(manifest: dict[str, Any], edits: dict[str, Any] | None = None) -> dict[str, Any]:
    """The relevant part of an object as a server answers it, with edits by path."""
    live = edited(manifest, edits or {})
    live["metadata"] |= {"uid": "u", "resourceVersion": "7", "managedFields": [{}]}
    return relevant(live)


@pytest.mark.parametrize("manifest", [POLICY, QUOTA, CONFIG, GUARDRAIL, CORE, EXTERNAL], ids=lambda each: each["kind"])
def test_an_object_as_it_was_applied_does_not_differ(manifest: dict[str, Any]) -> None:
    """What the server adds to metadata and what it stores unchanged is no drift."""
    assert difference(manifest, stored(manifest)) == ()
    assert removals(manifest, stored(manifest)) == {}


@pytest.mark.parametrize(
    ("manifest", "edits"),
    [
        pytest.param(QUOTA, {"spec.hard": {"requests.cpu": "1.5", "pods": 10}}, id="quantities are amounts"),
        pytest.param(POLICY, {"spec.ingress.0.ports.0": {"port": 80}}, id="TCP is the default protocol"),
        pytest.param(POLICY, {"spec.egress": []}, id="an empty list is an absent one"),
        pytest.param(GUARDRAIL, {"spec.subjects": ["Group:b", "Group:a"]}, id="sets have no order"),
        pytest.param(
            GUARDRAIL, {"metadata.finalizers": ["other/one", "ringfence.dev/operator"]}, id="others' finalizers"
        ),
        pytest.param(CORE, {"metadata.labels.team": "search"}, id="others' labels"),
        pytest.param(EXTERNAL, {"spec.refreshInterval": "1h0m0s"}, id="another controller's defaults"),
    ],
)
def test_what_the_server_may_answer_is_no_drift(manifest: dict[str, Any], edits: dict[str, Any]) -> None:
    """Defaults, other spellings and what belongs to others."""
    assert difference(manifest, stored(manifest, edits)) == ()


@pytest.mark.parametrize(
    ("manifest", "edits", "pointer"),
    [
        (POLICY, {"spec.ingress.0.ports.0.port": 81}, "/spec/ingress"),
        (POLICY, {"spec.ingress": [{}]}, "/spec/ingress"),
        (POLICY, {"spec.egress": [{}]}, "/spec/egress"),
        (POLICY, {"spec.policyTypes": ["Egress"]}, "/spec/policyTypes"),
        (POLICY, {"spec.podSelector": {"matchLabels": {"x": "y"}}}, "/spec/podSelector/matchLabels"),
        (QUOTA, {"spec.hard": {"requests.cpu": "1501m", "pods": "10"}}, "/spec/hard/requests.cpu"),
        (QUOTA, {"spec.scopes": ["Terminating"]}, "/spec/scopes"),
        (CONFIG, {"data.more": "x"}, "/data/more"),
        (GUARDRAIL, {"spec.subjects": ["Group:a", "Group:b", "Group:c"]}, "/spec/subjects"),
        (GUARDRAIL, {"metadata.finalizers": []}, "/metadata/finalizers"),
        (CORE, {"metadata.labels": {}}, "/metadata/labels/ringfence.dev~1tenant"),
        (EXTERNAL, {"spec.target.name": "other"}, "/spec/target/name"),
        (CONFIG, {"metadata.ownerReferences": [{"uid": "x"}]}, "/metadata/ownerReferences"),
    ],
)
def test_a_change_by_hand_is_found_where_it_was_made(
    manifest: dict[str, Any], edits: dict[str, Any], pointer: str
) -> None:
    """The pointer is what the record will say."""
    assert difference(manifest, stored(manifest, edits)) == (pointer,)


@pytest.mark.parametrize(
    ("manifest", "edits", "patch"),
    [
        (CONFIG, {"data.more": "x"}, {"data": {"more": None}}),
        (QUOTA, {"spec.scopes": ["Terminating"]}, {"spec": {"scopes": None}}),
        (
            CORE,
            {"metadata.labels": {"ringfence.dev/tenant": "acme", "ringfence.dev/home": "true"}},
            {"metadata": {"labels": {"ringfence.dev/home": None}}},
        ),
        (GUARDRAIL, {"spec.subjects": ["Group:x"]}, {}),
        (CONFIG, {"data.url": "http://evil"}, {}),
    ],
    ids=["key", "field", "label", "a list is replaced", "an apply is enough"],
)
def test_what_an_apply_would_leave_is_taken_away(
    manifest: dict[str, Any], edits: dict[str, Any], patch: dict[str, Any]
) -> None:
    """Server-side apply never removes what another manager added."""
    assert removals(manifest, stored(manifest, edits)) == patch


def test_comparing_changes_nothing() -> None:
    """Neither side is touched: the same values are compared again and again."""
    desired, content = copy.deepcopy(QUOTA), stored(QUOTA, {"spec.hard.pods": "11"})
    before = copy.deepcopy(content)
    difference(desired, content)
    assert (desired, content) == (QUOTA, before)


SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "ringfence-gateway", "namespace": "acme", "labels": {}},
    "spec": {"selector": {"a": "b"}, "ports": [{"name": "https", "port": 443, "protocol": "TCP"}]},
}
FILLED_IN = {"spec.clusterIP": "10.0.0.7", "spec.internalTrafficPolicy": "Cluster", "spec.sessionAffinity": "None"}


def test_what_the_server_fills_in_is_nobodys() -> None:
    """Of a field that is owned whole, defaults are no drift; another value in their place is."""
    assert difference(SERVICE, stored(SERVICE, FILLED_IN)) == ()
    local = {**FILLED_IN, "spec.internalTrafficPolicy": "Local"}
    assert difference(SERVICE, stored(SERVICE, local)) == ("/spec/internalTrafficPolicy",)
    assert difference(SERVICE, stored(SERVICE, {"spec.selector.app": "elsewhere"})) == ("/spec/selector/app",)


def test_a_replacement_leaves_nothing_of_what_was_added() -> None:
    """Not in maps, by null, and not in lists, which are replaced."""
    edits = {"spec.selector.app": "elsewhere", "spec.externalIPs": ["192.0.2.7"]}
    patch = replacement(SERVICE, stored(SERVICE, edits))
    assert patch["spec"]["selector"] == {"a": "b", "app": None}
    assert patch["spec"]["externalIPs"] is None
    assert patch["spec"]["ports"] == SERVICE["spec"]["ports"]
