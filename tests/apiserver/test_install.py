"""manifests/install: one kubectl command on an empty cluster, and the API server takes every object of it."""

from collections.abc import Iterator
from functools import partial

import pytest

from ringfence import names
from tests.apiserver.installing import INSTALL, Cluster, empty_cluster, install
from tests.operating import operator_kubeconfig
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

OPERATOR = (names.OPERATOR_NAMESPACE, names.OPERATOR_SERVICE_ACCOUNT)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run the documented command on an empty cluster."""
    with empty_cluster(tmp_path_factory.mktemp("install")) as cluster:
        install(cluster.kubectl)
        yield cluster


def test_every_definition_is_served(installed: Cluster) -> None:
    """One command is enough to ask for every kind of ours."""
    for plural in ("tenants", "tenantnamespaces", "modelroutes", "retentionpolicies", "guardrails"):
        eventually(lambda plural=plural: installed.kubectl("get", plural, "-A", check=False).returncode == 0)  # type: ignore[misc]


def test_applying_it_again_changes_nothing(installed: Cluster) -> None:
    """A GitOps controller applies it for ever; it must come to rest."""
    lines = installed.kubectl("apply", "-k", str(INSTALL)).stdout.splitlines()
    assert lines
    assert [line for line in lines if not line.endswith(" unchanged")] == []


def test_the_operators_pod_fulfils_the_restricted_standard(installed: Cluster) -> None:
    """Its namespace enforces the standard; a pod by the Deployment's template is admitted, a privileged one is not."""
    namespace, name = OPERATOR
    template = installed.get("deployments", "-n", namespace)[0]["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": namespace}, **template}
    pod["metadata"] = {"name": "probe", "namespace": namespace}
    installed.kubectl("create", "--dry-run=server", "-f", "-", stdin=pod)
    container = {**pod["spec"]["containers"][0], "securityContext": {"privileged": True}}
    privileged = {**pod, "spec": {**pod["spec"], "containers": [container]}}
    refused = installed.kubectl("create", "--dry-run=server", "-f", "-", stdin=privileged, check=False)
    assert "violates PodSecurity" in refused.stderr
    assert template["spec"]["serviceAccountName"] == name


def test_one_process_writes_the_ledger(installed: Cluster) -> None:
    """SQLite has one writer: one replica, the old pod gone before the new one starts."""
    spec = installed.get("deployments", "-n", OPERATOR[0])[0]["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")
    assert {volume["name"] for volume in spec["template"]["spec"]["volumes"]} >= {"ledger"}


def test_the_operator_reads_no_secret_and_escalates_nothing(installed: Cluster) -> None:
    """What it may do is asked of the API server, beside a right that it has."""
    allowed = partial(_may, installed)
    assert allowed("create", "secrets", "-n", "acme-dev")
    assert allowed("list", "tenants")
    for verb in ("get", "list", "watch", "update", "patch", "delete", "deletecollection"):
        assert not allowed(verb, "secrets", "-n", "acme-dev"), verb
    assert not allowed("escalate", "clusterroles")
    assert not allowed("impersonate", "users")
    assert not allowed("bind", "clusterroles/cluster-admin")
    assert allowed("bind", "clusterroles/" + names.tenant_role("viewer"))
    assert not allowed("*", "*")


def _may(cluster: Cluster, *question: str) -> bool:
    config = operator_kubeconfig(cluster.plane)
    answer = cluster.kubectl("auth", "can-i", *question, kubeconfig=config, check=False)
    assert answer.stdout.strip() in {"yes", "no"}, answer.stderr
    return answer.stdout.strip() == "yes"
