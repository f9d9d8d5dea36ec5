"""Each promise stands on two layers: with one of them off, the other holds, and with both off nothing does.

One layer is the admission policies, the other one is roles, Pod Security or a quota. Each promise is broken by one
request in four ways: with the policies in force and without them, and each time with the other layer and without it.
That it succeeds without both shows that it is a request that could do harm. No operator runs meanwhile.

Reading has one layer: no admission policy sees it, so who may read is decided by roles alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.admission.catalogue import POLICIES
from ringfence.controlplane import Client, ControlPlane
from ringfence.model.kinds import NETWORK_POLICY
from ringfence.reach.kinds import Kind
from ringfence.reach.read import READ, read
from ringfence.reach.verify import verify
from tests import sample_world
from tests.attack.asking import Answer, Asker, Request, Who, connect, create, delete, patch
from tests.attack.conftest import Grounds, binding, group, namespace_object
from tests.breaking import break_glass
from tests.controlplane_fixtures import Kubectl
from tests.operating import USER, OperatorProcess
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

NO_RIGHT: Final = " cannot "
"""RBAC's refusal: User "ada" cannot delete resource "namespaces"."""
NO_GRANT: Final = "attempting to grant RBAC permissions not currently held"
"""RBAC's refusal to give what one does not have."""
WITHOUT_NODES: Final = ("does not have a host assigned", "address not allowed")
"""What the API server says where only a node is missing to open a connection."""


@dataclass(frozen=True)
class Promise:
    """What must not be done, and who refuses it."""

    who: Who
    request: Request
    rule: str
    """The id of the policy's rule."""
    other: str
    """What the other layer's refusal says."""
    elsewhere: str = ""
    """A namespace that lacks the other layer; empty where roles are that layer, which are then opened to everybody."""

    @property
    def past(self) -> Request:
        """The request where the other layer is off."""
        return replace(self.request, path=self.request.path.replace("red-dev", self.elsewhere or "red-dev"))


def to_member(role: str, rule: str, request: Request, other: str = NO_RIGHT) -> Promise:
    """A promise that roles keep towards a member of red."""
    return Promise(Who("ada", (group("red", role),)), request, rule, other)


def to_operator(rule: str, request: Request, other: str = NO_RIGHT) -> Promise:
    """A promise that the operator's own roles keep."""
    return Promise(Who(USER), request, rule, other)


def to_developer(rule: str, request: Request, other: str) -> Promise:
    """A promise that a namespace's own settings keep."""
    return replace(to_member("developer", rule, request, other), elsewhere="red-lax")


def named(name: str, **rest: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **rest}


def everywhere(name: str, role: str) -> dict[str, Any]:
    """A ClusterRoleBinding to everybody whom the API server knows."""
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}
    return {**binding(name, "", role, ""), **named(name), "kind": "ClusterRoleBinding", "subjects": [subject]}


def pod(name: str, **security: Any) -> dict[str, Any]:
    restricted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "main", "image": "nobody.example/none", "securityContext": {**restricted, **security}}
    spec = {"containers": [container], "automountServiceAccountToken": False}
    return named(name, apiVersion="v1", kind="Pod", spec=spec)


RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
POLICIES_OF: Final = "/apis/networking.k8s.io/v1/namespaces/red-dev/networkpolicies"
SYSTEM: Final = f"/api/v1/namespaces/{names.OPERATOR_NAMESPACE}"
DEV: Final = "/api/v1/namespaces/red-dev"
LABELLED: Final = {"metadata": {"labels": {"a": "b"}}}
PRIVILEGED: Final = pod("bad", privileged=True, allowPrivilegeEscalation=True)
JOB: Final = named("job", spec={"template": {"spec": {**pod("x")["spec"], "restartPolicy": "Never"}}})
NODE_PORT: Final = named("door", spec={"type": "NodePort", "selector": {"a": "b"}, "ports": [{"port": 80}]})
SLICE: Final = named("lure", addressType="IPv4", endpoints=[{"addresses": ["192.0.2.7"]}], ports=[])
OPEN: Final = named("open", spec={"podSelector": {}, "ingress": [{}]})
ROLE: Final = named("own", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
KNOWN: Final = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group("red", "developer")}
ESCALATED: Final = create(
    f"{RBAC}/namespaces/red-dev/rolebindings", {**binding("up", "red-dev", "cluster-admin", ""), "subjects": [KNOWN]}
)
EVERYBODYS: Final = everywhere("everybody", "cluster-admin")

PROMISES: Final = {
    "no shell in a protected environment": to_member(
        "developer", "shell-open", connect("/api/v1/namespaces/red-prod/pods/runner/exec")
    ),
    "no way past policies through the API server": to_member(
        "owner", "shell-proxy", Request("GET", f"{DEV}/pods/runner/proxy/", query={})
    ),
    "the Guardrail is the operator's": to_member(
        "owner",
        "guardrail-writer",
        patch(f"/apis/ringfence.dev/v1alpha1/namespaces/red-dev/guardrails/{names.GUARDRAIL}", LABELLED),
    ),
    "the quota is the operator's": to_member(
        "owner", "fence-objects", patch(f"{DEV}/resourcequotas/{names.QUOTA}", LABELLED)
    ),
    "the fence stays": to_member("developer", "fence-objects", delete(f"{POLICIES_OF}/{names.DENY_ALL}")),
    "a developer opens no network": to_member("developer", "network-policy-open", create(POLICIES_OF, OPEN)),
    "endpoints are the cluster's": to_member(
        "developer", "endpoints-writer", create("/apis/discovery.k8s.io/v1/namespaces/red-dev/endpointslices", SLICE)
    ),
    "a namespace's labels are the operator's": to_member(
        "owner", "namespace-labels", patch(DEV, {"metadata": {"labels": {names.TENANT_LABEL: "blue"}}})
    ),
    "a namespace goes with its object": to_member("owner", "namespace-deletion", delete(DEV)),
    "the operator's namespace stays": to_member("owner", "namespace-of-the-operator", delete(SYSTEM)),
    "a definition stays": to_member(
        "owner",
        "definition-deletion",
        delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenants.ringfence.dev"),
    ),
    "nobody rises by a binding": to_member("admin", "role-binding-role", ESCALATED, NO_GRANT),
    "nobody defines a role": to_member("owner", "role-definition", create(f"{RBAC}/namespaces/red-dev/roles", ROLE)),
    "no tenant role holds everywhere": to_member(
        "owner",
        "cluster-binding-tenant-role",
        create(f"{RBAC}/clusterrolebindings", everywhere("all", names.tenant_role("owner"))),
    ),
    "nobody becomes the operator": to_member(
        "owner",
        "operator-token",
        create(
            f"{SYSTEM}/serviceaccounts/{names.OPERATOR_SERVICE_ACCOUNT}/token", {"spec": {"expirationSeconds": 600}}
        ),
    ),
    "the operator runs no pod": to_operator("operator-pod", create(f"{DEV}/pods", pod("planted"))),
    "the operator runs no job": to_operator("operator-workload", create("/apis/batch/v1/namespaces/red-dev/jobs", JOB)),
    "the operator gives tenant roles only": to_operator("operator-binding-role", ESCALATED, NO_GRANT),
    "the operator writes no role": to_operator("operator-roles", create(f"{RBAC}/clusterroles", ROLE)),
    "no privileged pod": to_developer("pod-privileged", create(f"{DEV}/pods", PRIVILEGED), "violates PodSecurity"),
    "no port of the node": to_developer("service-type", create(f"{DEV}/services", NODE_PORT), "exceeded quota"),
}
SHELL: Final = PROMISES["no shell in a protected environment"]
every_promise = pytest.mark.parametrize("name", PROMISES)


@dataclass(frozen=True)
class Answers:
    """What was said to each promise's request, with both layers on, with one of them, and with none."""

    both: Mapping[str, Answer]
    policies: Mapping[str, Answer]
    other: Mapping[str, Answer]
    none: Mapping[str, Answer]
    excused: Answer
    """To a shell in a protected environment, once roles were open and a reason stood on its namespace."""


@pytest.fixture(scope="module")
def answers(operator: OperatorProcess, controlplane: ControlPlane, kubectl: Kubectl, admin: Client) -> Answers:
    """Switch the layers off, one after the other, and ask each time."""
    _prepare(Grounds(kubectl), admin)
    operator.kill()
    both = _ask(controlplane, past=False)
    _open_roles(kubectl, admin)
    policies = _ask(controlplane, past=True)
    break_glass(kubectl, "namespace", "red-prod")
    (excused,) = Asker(controlplane).ask([(SHELL.who, SHELL.request)])
    kubectl("delete", "validatingadmissionpolicybindings", *_bindings())
    eventually(lambda: admin.request("DELETE", f"{DEV}?dryRun=All").ok)
    none = _ask(controlplane, past=True)
    kubectl("delete", "clusterrolebinding", EVERYBODYS["metadata"]["name"])
    eventually(lambda: not _may_everything(admin))
    return Answers(both, policies, _ask(controlplane, past=False), none, excused)


def _prepare(grounds: Grounds, admin: Client) -> None:
    """Make red, with pods to break into, and red-lax, which has neither Pod Security nor a quota."""
    grounds.begin("red", environments=[{"name": "dev"}, {"name": "prod", "protected": True}])
    more = {"quota": {"hard": {"pods": "3"}}}
    grounds.put(*(namespace_object(name, "red", **more) for name in ("dev", "lax")))
    grounds.put(namespace_object("prod", "red", environment="prod", **more))
    grounds.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", "red", "tns", "--all")
    for namespace in ("red-dev", "red-prod"):
        path = f"/api/v1/namespaces/{namespace}/pods"
        eventually(lambda path=path: admin.request("POST", path, pod("runner")).ok)  # type: ignore[misc]


def _open_roles(kubectl: Kubectl, admin: Client) -> None:
    """Give everybody every right, and take Pod Security and the quota from red-lax, for a reason."""
    quota = ("resourcequota", names.QUOTA, "-n", "red-lax")
    break_glass(kubectl, "namespace", "red-lax")
    break_glass(kubectl, *quota)
    kubectl("label", "--overwrite", "namespace", "red-lax", "pod-security.kubernetes.io/enforce=privileged")
    kubectl("delete", *quota)
    kubectl("create", "-f-", stdin=EVERYBODYS)
    eventually(lambda: _may_everything(admin))


def _may_everything(admin: Client) -> bool:
    spec = {"user": "ada", "groups": ["system:authenticated"], "resourceAttributes": {"verb": "*", "resource": "*"}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(admin.request("POST", path, {"spec": spec}).must()["status"]["allowed"])


def _bindings() -> list[str]:
    """Names of what puts the policies in force."""
    return [each["metadata"]["name"] for policy in POLICIES for each in policy.bindings]


def _ask(plane: ControlPlane, *, past: bool) -> Mapping[str, Answer]:
    asked = [(promise.who, promise.past if past else promise.request) for promise in PROMISES.values()]
    return dict(zip(PROMISES, Asker(plane).ask(asked), strict=True))


@every_promise
def test_both_layers_hold_it(answers: Answers, name: str) -> None:
    """As it is shipped."""
    assert answers.both[name].forbidden


@every_promise
def test_the_policies_hold_it_alone(answers: Answers, name: str) -> None:
    """By the rule that is there for it."""
    answer = answers.policies[name]
    assert answer.forbidden
    assert f"ringfence {PROMISES[name].rule}: " in answer.message


@every_promise
def test_the_other_layer_holds_it_alone(answers: Answers, name: str) -> None:
    """By what it says when it refuses."""
    answer = answers.other[name]
    assert answer.forbidden
    assert PROMISES[name].other in answer.message


@every_promise
def test_without_both_it_is_broken(answers: Answers, name: str) -> None:
    """The request does what it should not, or would, were there a node."""
    answer = answers.none[name]
    assert answer.status < 300 or any(each in answer.message for each in WITHOUT_NODES), answer.message


def test_a_reason_on_the_namespace_opens_the_shell_for_who_may_break_the_glass(answers: Answers) -> None:
    """A connection has no object to write the reason on."""
    assert any(each in answers.excused.message for each in WITHOUT_NODES), answers.excused.message


NAMESPACES: Final = ("acme", "acme-web", "acme-data", "acme-models", "globex", "globex-dev", "globex-prod")


@pytest.mark.parametrize("stripped", NAMESPACES)
def test_a_namespace_without_its_policies_is_still_out_of_other_tenants_reach(stripped: str) -> None:
    """Each end of a connection has a fence of its own: what one lost, the other still refuses."""
    reading = read(
        thing
        for ref, thing in sample_world.settled().objects.items()
        if ref.type in READ and (ref.type, ref.namespace) != (NETWORK_POLICY, stripped)
    )
    report = verify(reading.world, reading.declarations)
    assert stripped in {gap.namespace for gap in report.gaps}
    assert [each for each in report.connections if each.kind is Kind.OTHER_TENANT] == []
