"""A tenant's gateway on a real API server: made by the operator with its own rights; Kubernetes makes pods of it."""

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from ringfence import names
from ringfence.cli.glass import REASON
from ringfence.controlplane import Client, ControlPlane
from ringfence.model.kinds import (
    CERTIFICATE,
    CONFIG_MAP,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    NETWORK_POLICY,
    SECRET,
    SERVICE,
    ResourceType,
)
from ringfence.plan.children.gateway_certificate import hosts
from tests.breaking import break_glass, delete_tenant
from tests.controlplane_fixtures import Kubectl
from tests.objects import service
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

HOME: Final = "acme"
LOCAL: Final = {
    "name": "local",
    "schema": "OpenAI",
    "service": {"namespace": "dev", "name": "llama", "port": 8000},
    "models": ["llama"],
}
OUTSIDE: Final = {
    "name": "openai",
    "schema": "OpenAI",
    "endpoint": {"host": "api.openai.com"},
    "region": "eu-central-1",
    "models": ["gpt-4o"],
    "credential": {"secretRef": {"name": "model-openai", "key": "api-key"}},
}
HOSTS: Final = [{"ip": "192.0.2.7", "hostnames": ["api.openai.com"]}]
LONG: Final = 60.0  # seconds


@pytest.fixture(scope="module")
def operator(
    controlplane: ControlPlane, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator with a tenant that has a provider of each kind."""
    ranges = ("--pod-ranges", "10.244.0.0/16", "--node-ranges", "192.0.2.0/24")
    with operating(controlplane, tmp_path_factory.mktemp("operator"), *ranges) as process:
        ask(kubectl)
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"tenant/{HOME}")
        kubectl("apply", "-f-", stdin=ours("Namespace", {"name": "dev", "namespace": HOME}, {"environment": "dev"}))
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", HOME, "tns/dev")
        yield process


@pytest.fixture(autouse=True)
def whole(operator: OperatorProcess, kubectl: Kubectl) -> None:
    """Each test begins with the whole gateway."""
    ask(kubectl)
    eventually(lambda: mounted(kubectl) and "key-openai" in volumes(kubectl) and replicas(kubectl) == 2, LONG)


def ours(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "ringfence.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def ask(kubectl: Kubectl, *providers: dict[str, Any], **spec: Any) -> None:
    """Apply the Tenant."""
    whole = {
        "access": {"owners": [{"group": "oidc:owners"}]},
        "environments": [{"name": "dev"}],
        "residency": {"regions": ["eu-central-1"]},
        "providers": list(providers or (LOCAL, OUTSIDE)),
        **spec,
    }
    kubectl("apply", "--server-side", "--force-conflicts", "-f-", stdin=ours("Tenant", {"name": HOME}, whole))


def found(kubectl: Kubectl, kind: ResourceType, name: str, namespace: str = HOME) -> dict[str, Any] | None:
    plural = f"{kind.plural}.{kind.group}".strip(".")
    done = kubectl("get", plural, name, "-n", namespace, "-o", "json", check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def deployment(kubectl: Kubectl) -> dict[str, Any]:
    return found(kubectl, DEPLOYMENT, names.GATEWAY) or {}


def replicas(kubectl: Kubectl) -> int | None:
    wanted: int | None = deployment(kubectl).get("spec", {}).get("replicas")
    return wanted


def spec_of(kubectl: Kubectl, kind: ResourceType) -> dict[str, Any]:
    return (found(kubectl, kind, names.GATEWAY) or {})["spec"]  # type: ignore[no-any-return]


def volumes(kubectl: Kubectl) -> dict[str, Any]:
    pod = deployment(kubectl).get("spec", {}).get("template", {}).get("spec", {})
    return {volume["name"]: volume for volume in pod.get("volumes", ())}


def mounted(kubectl: Kubectl) -> str:
    """The Secret with the certificate that the Deployment mounts."""
    name: str = volumes(kubectl).get("tls", {}).get("secret", {}).get("secretName", "")
    return name


def trusted(kubectl: Kubectl, namespace: str = f"{HOME}-dev") -> str:
    """The authorities that workloads are told to trust."""
    told = found(kubectl, CONFIG_MAP, names.GATEWAY_CONFIG_MAP, namespace) or {"data": {}}
    authorities: str = told["data"].get("ca.crt", "")
    return authorities


def test_kubernetes_makes_pods_of_it(kubectl: Kubectl) -> None:
    """Nothing of the fence, of Pod Security or of the quota is in their way; there is no node for them to run on."""

    def pods() -> list[dict[str, Any]]:
        items = json.loads(kubectl("get", "pods", "-n", HOME, "-o", "json").stdout)["items"]
        return [each for each in items if each["metadata"]["labels"].get(names.GATEWAY_LABEL) == "true"]

    eventually(lambda: len(pods()) >= 2, LONG)
    (pod, *_) = pods()
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert not any("projected" in volume for volume in pod["spec"]["volumes"])


def test_a_pods_end_is_its_nodes_and_its_controllers_business(kubectl: Kubectl) -> None:
    """The fence lets nobody else end one, whatever roles he has."""
    names_of = kubectl("get", "pods", "-n", HOME, "-l", f"{names.GATEWAY_LABEL}=true", "-o", "name").stdout.split()
    done = kubectl("delete", names_of[0], "-n", HOME, check=False)
    assert "ringfence fence-objects" in done.stderr
    preempting = "system:kube-scheduler"
    kubectl("delete", names_of[0], "-n", HOME, user=preempting, groups=["system:masters"])


def test_controllers_tell_of_it_what_they_must(kubectl: Kubectl) -> None:
    """They copy its labels, which are the fence's; nobody else writes such a slice."""
    metadata = {"name": "slice", "namespace": HOME, "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY}}
    slice_ = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4"}
    body = json.dumps({**slice_, "endpoints": []})
    arguments = ("create", "--dry-run=server", "-f-")
    controller = "system:serviceaccount:kube-system:endpointslice-controller"
    kubectl(*arguments, stdin=body, user=controller, groups=["system:masters"])
    assert not kubectl(*arguments, stdin=body, check=False).stdout


def test_the_certificate_is_one_that_workloads_can_verify(
    kubectl: Kubectl, admin: Client, operator: OperatorProcess
) -> None:
    """By the authority that their own namespace tells them, for the name in the URL that it tells them."""
    eventually(lambda: trusted(kubectl), LONG)
    content = admin.get(SECRET.path(HOME, mounted(kubectl))).must()["data"]
    leaf, key = (base64.b64decode(content[name]) for name in ("tls.crt", "tls.key"))
    authorities = x509.load_pem_x509_certificates(trusted(kubectl).encode())
    verifier = PolicyBuilder().store(Store(authorities)).build_server_verifier(x509.DNSName(hosts(HOME)[0]))
    assert verifier.verify(x509.load_pem_x509_certificate(leaf), [])
    ssl.create_default_context(cadata=trusted(kubectl))
    _is_nowhere_else(key, operator)


def _is_nowhere_else(key: bytes, operator: OperatorProcess) -> None:
    """Not in the operator's log, and not in its ledger."""
    told = json.dumps(operator.records()) + operator.log.read_text()
    assert names.GATEWAY_TLS_PREFIX in told, "what was done is on record"
    assert not [word for word in key.decode().splitlines()[1:-1] if word in told]


def test_a_provider_that_goes_takes_its_key_out_of_the_pod(kubectl: Kubectl) -> None:
    """And its way out: nothing outside of the cluster is left that the gateway may reach."""
    assert "ipBlock" in kubectl("get", "networkpolicy", names.ALLOW_PROVIDERS, "-n", HOME, "-o", "json").stdout
    ask(kubectl, LOCAL)
    eventually(lambda: "key-openai" not in volumes(kubectl), LONG)
    policy = ("get", "networkpolicy", names.ALLOW_PROVIDERS, "-n", HOME, "-o", "json")
    eventually(lambda: "ipBlock" not in kubectl(*policy).stdout, LONG)


def test_a_way_leads_to_the_port_of_a_frontends_pods_and_goes_with_its_service(kubectl: Kubectl) -> None:
    """Nobody but the tenant's own people makes the Service: the operator sees it come, change and go."""

    def ports(name: str, namespace: str, way: str) -> list[int | str]:
        policy = found(kubectl, NETWORK_POLICY, name, namespace) or {"spec": {}}
        return [port["port"] for rule in policy["spec"].get(way, ()) for port in rule["ports"]]

    def opened() -> tuple[bool, list[int | str]]:
        """Whether the gateway may go there, and what the frontend lets in."""
        inward = ports(names.ALLOW_GATEWAY, f"{HOME}-dev", "ingress")
        return set(inward) <= set(ports(names.ALLOW_PROVIDERS, HOME, "egress")), inward

    assert opened() == (True, [])
    kubectl("apply", "-f-", stdin=service(f"{HOME}-dev", "llama", 8000, 8080))
    eventually(lambda: opened() == (True, [8080]), LONG)
    kubectl("apply", "-f-", stdin=service(f"{HOME}-dev", "llama", 8000, "http"))
    eventually(lambda: opened() == (True, ["http"]), LONG)
    kubectl("delete", "service", "llama", "-n", f"{HOME}-dev")
    eventually(lambda: opened() == (True, []), LONG)
    assert "http" not in ports(names.ALLOW_PROVIDERS, HOME, "egress")


def test_what_somebody_adds_to_the_deployment_is_put_right(kubectl: Kubectl) -> None:
    """A second image in the pod would see every prompt."""
    stranger = [{"name": "stranger", "image": "evil.example/tap"}]
    patch = {
        "metadata": {"annotations": REASON},
        "spec": {"replicas": 9, "template": {"spec": {"containers": stranger}}},
    }
    kubectl("patch", "deployment", names.GATEWAY, "-n", HOME, "--type=strategic", "-p", json.dumps(patch))

    def right() -> bool:
        spec = deployment(kubectl)["spec"]
        return spec["replicas"] == 2 and len(spec["template"]["spec"]["containers"]) == 1

    eventually(right, LONG)


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        pytest.param(DEPLOYMENT, {"template": {"spec": {"hostAliases": HOSTS}}}, id="hosts that Envoy would go to"),
        pytest.param(SERVICE, {"selector": {"app": "elsewhere"}}, id="pods that callers would not find"),
        pytest.param(SERVICE, {"externalIPs": ["192.0.2.7"]}, id="an address to catch them at"),
        pytest.param(DISRUPTION_BUDGET, {"maxUnavailable": "100%"}, id="all of them away at once"),
        pytest.param(DISRUPTION_BUDGET, {"selector": {"matchLabels": {"app": "elsewhere"}}}, id="nobody's budget"),
    ],
)
def test_what_somebody_changes_in_its_objects_is_put_right(
    kubectl: Kubectl, kind: ResourceType, patch: dict[str, Any]
) -> None:
    """By a broken glass, since nobody else may; also what an apply would leave to who added it."""
    before = spec_of(kubectl, kind)
    body = json.dumps({"metadata": {"annotations": REASON}, "spec": patch})
    kubectl("patch", f"{kind.plural}.{kind.group}".strip("."), names.GATEWAY, "-n", HOME, "--type=merge", "-p", body)
    eventually(lambda: spec_of(kubectl, kind) == before, LONG)


def test_an_incident_stops_every_replica_and_its_end_starts_them(kubectl: Kubectl) -> None:
    """What it is made of stays, to be looked at."""
    ask(kubectl, isolation="Quarantined", incident={"id": "INC-1", "reason": "drill"})
    eventually(lambda: replicas(kubectl) == 0, LONG)
    eventually(lambda: found(kubectl, CONFIG_MAP, names.GATEWAY_CONFIG_MAP)["data"]["served"] == "false", LONG)  # type: ignore[index]
    assert found(kubectl, CONFIG_MAP, names.GATEWAY_FILES)
    _release(kubectl)
    eventually(lambda: replicas(kubectl) == 2, LONG)


def _release(kubectl: Kubectl) -> None:
    """Two persons end an incident."""
    kubectl(
        "annotate", "tenant", HOME, f"{names.CONFIRM_RELEASE_ANNOTATION}={HOME}", user="ann", groups=["system:masters"]
    )
    ask(kubectl)


def test_who_deletes_a_certificate_gets_another_one(kubectl: Kubectl) -> None:
    """By another authority, at once: so is a key replaced that leaked. Its Secret goes with what tells of it."""
    before = mounted(kubectl)
    break_glass(kubectl, "configmap", before, "-n", HOME)
    kubectl("delete", "configmap", before, "-n", HOME)
    eventually(lambda: mounted(kubectl) not in ("", before), LONG)
    eventually(lambda: found(kubectl, SECRET, mounted(kubectl)), LONG)
    eventually(lambda: found(kubectl, SECRET, before) is None, LONG)


def test_a_restart_changes_nothing(operator: OperatorProcess, audit_events: Callable[[], list[dict[str, Any]]]) -> None:
    """A certificate that is there is not made again, and a configuration not published again."""
    eventually(operator.settled, LONG)
    assert operator.stop() == 0
    before = len(list(filter(_writes, audit_events())))
    operator.start()
    eventually(operator.settled, LONG)
    assert [event["requestURI"] for event in list(filter(_writes, audit_events()))[before:]] == []


def _writes(event: dict[str, Any]) -> bool:
    resource = event.get("objectRef", {}).get("resource")
    quiet = {"leases", "events", "selfsubjectreviews", "selfsubjectrulesreviews"}
    return (
        event["user"]["username"] == names.OPERATOR_USER
        and event["verb"] in {"create", "update", "patch", "delete"}
        and resource not in quiet
        and event["objectRef"].get("subresource") != "token"
        and "dryRun=All" not in event["requestURI"]
    )


def test_who_wants_no_gateway_has_nothing_of_it(kubectl: Kubectl) -> None:
    """Neither pods nor keys: the Secret goes with what told of it."""
    secret = mounted(kubectl)
    assert found(kubectl, SECRET, secret)
    ask(kubectl, gateway={"dataPlane": "None"})
    eventually(lambda: not deployment(kubectl), LONG)
    left = ("get", "services,poddisruptionbudgets,serviceaccounts", "-n", HOME, "-o", "name")
    eventually(lambda: names.GATEWAY not in kubectl(*left).stdout, LONG)
    eventually(lambda: found(kubectl, SECRET, secret) is None, LONG)
    eventually(lambda: trusted(kubectl) == "", LONG)


def test_cert_manager_certifies_where_the_installation_says_so(
    operator: OperatorProcess, kubectl: Kubectl, tmp_path: Path
) -> None:
    """The operator orders, and tells workloads what it was told; it never sees the pair."""
    kubectl("apply", "-f-", stdin=_definition())
    kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    authority = tmp_path / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----\nthe platform's\n-----END CERTIFICATE-----\n")
    usual = operator.arguments
    operator.stop()
    operator.arguments = (
        *usual,
        *("--certificate-issuer", "ClusterIssuer/platform", "--certificate-authority", str(authority)),
    )
    operator.start()
    try:
        eventually(lambda: mounted(kubectl) == names.GATEWAY_TLS_ISSUED, LONG)
        order = found(kubectl, CERTIFICATE, names.GATEWAY) or {}
        assert order["spec"]["issuerRef"]["name"] == "platform"
        assert order["spec"]["dnsNames"] == list(hosts(HOME))
        eventually(lambda: "the platform's" in trusted(kubectl), LONG)
        edit = json.dumps({"metadata": {"annotations": REASON}, "spec": {"dnsNames": ["elsewhere.example"]}})
        kubectl("patch", "certificates.cert-manager.io", names.GATEWAY, "-n", HOME, "--type=merge", "-p", edit)
        eventually(lambda: "elsewhere" not in json.dumps(found(kubectl, CERTIFICATE, names.GATEWAY)), LONG)
    finally:
        operator.stop()
        operator.arguments = usual
        operator.start()
    eventually(lambda: found(kubectl, CERTIFICATE, names.GATEWAY) is None, LONG)


def _definition() -> dict[str, Any]:
    """Of cert-manager's Certificate, as far as Ringfence writes it."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
    kind = {"plural": "certificates", "singular": "certificate", "kind": "Certificate"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "certificates.cert-manager.io"},
        "spec": {"group": "cert-manager.io", "scope": "Namespaced", "names": kind, "versions": [version]},
    }


def test_a_tenant_that_goes_leaves_no_gateway_behind(kubectl: Kubectl) -> None:
    """Its namespaces are retained; nothing speaks to its providers any more."""
    delete_tenant(kubectl, HOME, "--wait=true", "--timeout=60s")
    assert not deployment(kubectl)
