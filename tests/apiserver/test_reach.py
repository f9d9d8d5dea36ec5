"""`ringfence verify` and `ringfence explain-deny` on the live objects of the sample tenants, with nothing running."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.adapters.kubernetes import lists
from ringfence.controlplane import MERGE_PATCH, Client, ControlPlane
from ringfence.model.kinds import CORE_NAMESPACE, NETWORK_POLICY, TENANT
from ringfence.reach.read import READ
from tests import sample_world
from tests.controlplane_fixtures import Kubectl
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

Object = dict[str, Any]
OPEN: Final[Object] = {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    text: str
    error: str

    @property
    def value(self) -> Any:
        """Its JSON."""
        return json.loads(self.text)


Ringfence = Callable[..., Done]


@pytest.fixture(scope="module")
def fenced(crds: list[str], kubectl: Kubectl, admin: Client) -> None:
    """The sample Tenants, and the fences that the planner makes for them, each labelled with its owner's real uid."""
    assert crds
    objects = sample_world.settled().objects
    tenants = [thing for ref, thing in objects.items() if ref.type == TENANT]
    kubectl("create", "-f-", stdin=[_bare(tenant) for tenant in tenants])
    fence = [thing for ref, thing in objects.items() if ref.type in (CORE_NAMESPACE, NETWORK_POLICY)]
    text = json.dumps([_bare(thing) for thing in sorted(fence, key=lambda thing: str(thing["kind"]))])
    for tenant in tenants:
        live = admin.get(TENANT.path(None, tenant["metadata"]["name"])).must()
        text = text.replace(f'"{tenant["metadata"]["uid"]}"', f'"{live["metadata"]["uid"]}"')
    kubectl("create", "-f-", stdin=json.loads(text))


@pytest.fixture(scope="module")
def pod(fenced: None, kubectl: Kubectl, admin: Client) -> str:
    """A pod of acme-data with an address, a name for its port, and an environment that nobody needs to see."""
    container = {"name": "db", "image": "db", "ports": [{"name": "sql", "containerPort": 5432}]}
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "db-0", "namespace": "acme-data", "labels": {"app": "db"}},
        "spec": {"containers": [container]},
    }
    account = "/api/v1/namespaces/acme-data/serviceaccounts/default"
    eventually(lambda: admin.get(account).ok)
    kubectl("create", "-f-", stdin=_restricted(manifest))
    status = {"status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.7"}], "podIP": "10.0.0.7"}}
    path = "/api/v1/namespaces/acme-data/pods/db-0"
    admin.request("PATCH", f"{path}/status", status, content_type=MERGE_PATCH).must()
    return "acme-data/db-0"


@pytest.fixture
def ringfence(controlplane: ControlPlane, fenced: None) -> Ringfence:
    """Run the command line as an administrator, or with a kubeconfig of somebody's own."""

    def run(*arguments: str, kubeconfig: Path | None = None) -> Done:
        command = [sys.executable, "-m", "ringfence", *arguments]
        config = str(kubeconfig or controlplane.admin_kubeconfig)
        done = subprocess.run([*command, "--kubeconfig", config], capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def test_the_live_fences_of_the_samples_hold(ringfence: Ringfence) -> None:
    """What is meant to be is listed; the namespaces that every cluster has are seen and out of reach."""
    done = ringfence("verify", "-o", "json")
    assert done.code == 0, done
    assert done.value["ok"]
    assert {each["kind"] for each in done.value["connections"]} == {"DNS", "Gateway", "Peers"}
    assert set(done.value["tenants"]) == {"acme", "globex"}


def test_a_policy_that_opens_a_fence_is_found_while_it_is_there(ringfence: Ringfence, kubectl: Kubectl) -> None:
    """Added, named with the ends and the port, and gone again."""
    metadata = {"name": "mine", "namespace": "acme-web"}
    kubectl("create", "-f-", stdin={**_kind(NETWORK_POLICY), "metadata": metadata, "spec": OPEN})
    done = ringfence("verify", "-o", "json")
    kubectl("delete", "networkpolicy", "mine", "-n", "acme-web")
    assert done.code == 1, done
    (gap,) = done.value["gaps"]
    assert (gap["policy"], gap["ports"]) == ("acme-web/mine", [{"protocol": "TCP", "port": 80, "endPort": 80}])
    assert {each["to"]["namespace"] for each in done.value["breaches"]} == {"acme-web"}
    sources = {each["from"]["namespace"] or each["from"]["addresses"] for each in done.value["breaches"]}
    assert sources >= {"default", "kube-system", "any address"}
    assert ringfence("verify").code == 0


def test_without_its_closing_policies_a_namespace_is_unfenced(ringfence: Ringfence, kubectl: Kubectl) -> None:
    """Not one that closes is left: two ends without any policy are a path between two tenants."""
    saved = {}
    for namespace in ("acme-web", "globex-dev"):
        saved[namespace] = json.loads(kubectl("get", "networkpolicies", "-n", namespace, "-o", "json").stdout)["items"]
        kubectl("delete", "networkpolicies", "--all", "-n", namespace)
    done = ringfence("verify", "-o", "json")
    kubectl("create", "-f-", stdin=[_bare(each) for items in saved.values() for each in items])
    assert done.code == 1
    assert {each["namespace"] for each in done.value["gaps"] if each["admits"] == ["Unfenced"]} == set(saved)
    paths = [each for each in done.value["breaches"] if each["kind"] == "OtherTenant"]
    assert {(each["from"]["namespace"], each["to"]["namespace"], *each["policies"]) for each in paths} == {
        ("acme-web", "globex-dev"),
        ("globex-dev", "acme-web"),
    }


def test_a_pod_that_runs_can_be_asked_by_its_name_and_its_ports(ringfence: Ringfence, pod: str) -> None:
    """The name of a port means what this pod calls so."""
    done = ringfence("explain-deny", "acme-web", pod, "sql")
    assert done.code == 0, done
    assert done.text.startswith(f"ALLOWED: a pod of acme-web without labels -> pod {pod} on TCP 5432\n")
    done = ringfence("explain-deny", pod, "acme-web", "-o", "json")
    assert (done.code, done.value["answer"]) == (1, "DENIED")
    assert done.value["ingress"]["isolating"] == [f"acme-web/{names.DENY_ALL}"]


def test_who_may_not_look_is_told_what_he_lacks(ringfence: Ringfence, controlplane: ControlPlane) -> None:
    """A part of the cluster is no basis for an answer."""
    done = ringfence("verify", kubeconfig=controlplane.kubeconfig("ann", ["acme-devs"]))
    assert done.code == 3
    assert 'cannot list resource "namespaces"' in done.error


def test_policies_of_a_network_plugin_are_seen_and_not_judged(
    ringfence: Ringfence, kubectl: Kubectl, admin: Client
) -> None:
    """They may open what NetworkPolicies close: with one of them there, nothing is called well."""
    kubectl("create", "-f-", stdin=_definition("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy"))
    eventually(lambda: admin.get("/apis/cilium.io/v2/ciliumnetworkpolicies").ok, timeout=90)
    assert ringfence("verify").code == 0
    wide = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "wide"}}
    eventually(lambda: kubectl("create", "-n", "acme-web", "-f-", stdin=wide, check=False).returncode == 0)
    done = ringfence("verify")
    kubectl("delete", "ciliumnetworkpolicies", "wide", "-n", "acme-web")
    assert done.code == 3
    assert "CiliumNetworkPolicy acme-web/wide (cilium.io/v2) may open what NetworkPolicies close" in done.text


def test_a_large_cluster_is_read_page_by_page(
    controlplane: ControlPlane, fenced: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All objects of all kinds arrive, each once."""
    with lists.connected(controlplane.admin_kubeconfig, None) as cluster:
        whole = [_names(cluster, kind) for kind in READ]
        monkeypatch.setattr(lists, "_PAGE", 2)
        assert [_names(cluster, kind) for kind in READ] == whole
    assert len(whole[1]) > 20


def _names(cluster: lists.Lists, kind: Any) -> list[str]:
    return [f"{each['metadata'].get('namespace')}/{each['metadata']['name']}" for each in cluster.of(kind)]


def _kind(kind: Any) -> Object:
    return {"apiVersion": kind.api_version, "kind": kind.kind}


def _bare(thing: Object) -> Object:
    """As somebody would write it: without what a server adds."""
    metadata = {name: thing["metadata"][name] for name in ("name", "namespace", "labels") if name in thing["metadata"]}
    return {
        "apiVersion": thing["apiVersion"],
        "kind": thing["kind"],
        "metadata": metadata,
        "spec": thing.get("spec", {}),
    }


def _restricted(manifest: Object) -> Object:
    """The pod as the namespace's Pod Security level demands it."""
    spec = manifest["spec"]
    locked = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    containers = [{**each, "securityContext": locked} for each in spec["containers"]]
    context = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return {**manifest, "spec": {**spec, "containers": containers, "securityContext": context}}


def _definition(group: str, version: str, plural: str, kind: str) -> Object:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }
