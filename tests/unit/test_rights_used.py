"""How the digest of an audit log is judged against the operator's roles."""

import json
from typing import Any

from ringfence import names
from ringfence.plan.rights import Action
from tests.rights_used import GRANTED, OPERATOR, Digest, digest, table

ALLOWED = {
    "authorization.k8s.io/decision": "allow",
    "authorization.k8s.io/reason": 'RBAC: allowed by ClusterRoleBinding "ringfence-operator" of ClusterRole "x" to y',
}
BY_OTHERS = {**ALLOWED, "authorization.k8s.io/reason": 'RBAC: allowed by ClusterRoleBinding "system:basic-user" of z'}
FORBIDDEN = {"authorization.k8s.io/decision": "forbid"}
POLICY = {"resource": "networkpolicies", "apiGroup": "networking.k8s.io", "namespace": "acme-dev", "name": "deny"}


def event(verb: str, target: dict[str, str], code: int = 200, **changed: Any) -> dict[str, Any]:
    whole = {
        "verb": verb,
        "objectRef": target,
        "responseStatus": {"code": code},
        "stage": "ResponseComplete",
        "user": {"username": OPERATOR},
        "userAgent": "ringfence/0.1.0",
        "annotations": ALLOWED,
    }
    return {**whole, **changed}


def seen(*events: dict[str, Any]) -> Digest:
    return digest([json.dumps(each).encode() + b"\n" for each in events])


def used(*events: dict[str, Any]) -> dict[str, int]:
    return {str(action): count for action, count in seen(*events).used.items()}


def test_an_apply_that_makes_an_object_needs_two_rights() -> None:
    """The API server asks for `create` too, and its log says `patch`."""
    assert used(event("patch", POLICY, 201)) == {
        "patch networkpolicies.networking.k8s.io": 1,
        "create networkpolicies.networking.k8s.io": 1,
    }
    assert used(event("patch", POLICY, 200)) == {"patch networkpolicies.networking.k8s.io": 1}


def test_a_watch_is_counted_once() -> None:
    """Its log has a line when it begins and one when it ends."""
    nodes = {"resource": "nodes"}
    both = (event("watch", nodes, stage="ResponseStarted"), event("watch", nodes, stage="ResponseComplete"))
    assert used(*both) == {"watch nodes": 1}


def test_binding_a_role_is_told_by_the_bindings_name() -> None:
    """A home namespace has no hyphen."""
    rbac = {"resource": "rolebindings", "apiGroup": "rbac.authorization.k8s.io", "name": names.role_binding("viewer")}
    bind = "bind clusterroles.rbac.authorization.k8s.io"
    assert f"{bind} ringfence-home-viewer" in used(event("patch", {**rbac, "namespace": "acme"}))
    assert f"{bind} ringfence-tenant-viewer" in used(event("patch", {**rbac, "namespace": "acme-dev"}))


def test_a_right_over_one_name_is_not_used_by_another() -> None:
    """The lease is read by its name."""
    lease = {"resource": "leases", "apiGroup": "coordination.k8s.io", "name": names.LEASE}
    assert used(event("get", lease)) == {f"get leases.coordination.k8s.io {names.LEASE}": 1}


def test_only_the_operators_program_and_its_own_roles_count() -> None:
    """Not a test that attacks with its token, not somebody else, not what everybody may."""
    assert used(event("delete", POLICY, userAgent="kubectl/v1.36")) == {}
    assert used(event("delete", POLICY, user={"username": "mallory"})) == {}
    assert used(event("delete", POLICY, annotations=BY_OTHERS)) == {}


def test_a_refusal_counts_where_no_right_covers_it() -> None:
    """A test that takes a right away to see what happens is no news."""
    secret = {"resource": "secrets", "namespace": "acme-dev", "name": "db"}
    assert seen(event("delete", POLICY, 403, annotations=FORBIDDEN)).uncovered == []
    assert seen(event("get", secret, 403, annotations=FORBIDDEN)).uncovered == [Action("", "secrets", "get", "db")]


def test_the_table_names_what_is_granted_and_unused() -> None:
    """And says so when nothing is wrong."""
    nothing = seen()
    assert nothing.unused == sorted(GRANTED)
    assert any(line.startswith("UNUSED: delete namespaces;") for line in table(nothing))
    everything = Digest(type(nothing.used)(GRANTED), nothing.refused)
    assert list(table(everything))[-1].startswith("granted = used")
