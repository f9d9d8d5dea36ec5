"""The samples: what a newcomer applies first must go in with every common applier, on an empty cluster."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from ringfence import names
from ringfence.cli.demo.operator import OperatorProcess
from ringfence.model.parse import parse
from tests.apiserver.installing import SAMPLES, EmptyCluster, empty_cluster, install
from tests.operating import operator_kubeconfig
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[EmptyCluster]:
    """Have Ringfence installed and running, and nothing else."""
    with empty_cluster(tmp_path) as empty:
        install(empty.kubectl, "--server-side")
        config = operator_kubeconfig(empty.plane)
        operator = OperatorProcess(kubeconfig=config, ledger=f"sqlite:///{tmp_path}/ledger", folder=tmp_path)
        try:
            eventually(operator.leads, timeout=60)
            yield empty
        finally:
            operator.kill()


def apply_folder(cluster: EmptyCluster, _: Path) -> None:
    cluster.kubectl("apply", "-f", str(SAMPLES))


def apply_kustomization(cluster: EmptyCluster, _: Path) -> None:
    cluster.kubectl("apply", "-k", str(SAMPLES))


def apply_in_helms_order(cluster: EmptyCluster, folder: Path) -> None:
    """Helm sorts by kind; what it prints is in that order, and kubectl sends it one by one."""
    ordered = cluster.helm("template", "samples", str(_as_chart(folder))).stdout
    kinds = [document["kind"] for document in yaml.safe_load_all(ordered) if document]
    assert kinds.index("Namespace") == 0
    assert kinds.index("Tenant") > kinds.index("RetentionPolicy"), "the Tenant comes last: nothing may depend on order"
    cluster.kubectl("apply", "-f", "-", stdin=ordered)


def install_with_helm(cluster: EmptyCluster, folder: Path) -> None:
    """Helm sends all objects whose kind is called Namespace at once; where a home came late, the next run finishes."""
    command = ("upgrade", "--install", "samples", str(_as_chart(folder)))
    first = cluster.helm(*command, check=False)
    if first.returncode:
        assert "not found" in first.stderr
        cluster.helm(*command)


@pytest.mark.parametrize("apply", [apply_folder, apply_kustomization, apply_in_helms_order, install_with_helm])
def test_the_samples_go_into_an_empty_cluster_in_one_go_and_become_ready(
    cluster: EmptyCluster, tmp_path: Path, apply: Callable[[EmptyCluster, Path], None]
) -> None:
    """Two tenants, five namespaces, a route and a policy each, however they are sorted on the way."""
    apply(cluster, tmp_path)
    for kind in ("tenants", "tenantnamespaces"):
        cluster.kubectl("wait", "--for=condition=Ready", kind, "--all", "--all-namespaces", "--timeout=60s")
    assert {item["metadata"]["name"] for item in cluster.get("tenants")} == {"acme", "globex"}
    assert len(cluster.get("tenantnamespaces", "--all-namespaces")) == 5
    for kind in ("modelroutes", "retentionpolicies"):
        homes = {item["metadata"]["namespace"] for item in cluster.get(kind, "--all-namespaces")}
        assert homes == {"acme", "globex"}, kind


def test_upgrading_the_samples_with_helm_conflicts_with_nothing(cluster: EmptyCluster, tmp_path: Path) -> None:
    """Helm labels what it makes as managed by itself, a declared home namespace too; the operator leaves that be."""
    install_with_helm(cluster, tmp_path)
    cluster.kubectl("wait", "--for=condition=Ready", "tenants", "--all", "--timeout=60s")
    cluster.helm("upgrade", "samples", str(tmp_path / "samples"))
    homes = cluster.get("namespaces", "-l", f"{names.HOME_LABEL},{names.OWNER_UID_LABEL}")
    assert {home["metadata"]["labels"][names.MANAGED_BY_LABEL] for home in homes} == {"Helm"}


def test_applying_the_samples_again_changes_nothing(cluster: EmptyCluster) -> None:
    """Neither a default that the API server fills in nor what the operator writes is a difference to kubectl."""
    cluster.kubectl("apply", "-f", str(SAMPLES))
    for kind in ("tenants", "tenantnamespaces"):
        cluster.kubectl("wait", "--for=condition=Ready", kind, "--all", "--all-namespaces", "--timeout=60s")
    again = cluster.kubectl("apply", "-f", str(SAMPLES)).stdout.splitlines()
    assert again
    assert all(line.endswith(" unchanged") for line in again), again


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.yaml")), ids=lambda file: file.name)
def test_the_operator_takes_every_sample_as_the_api_server_does(file: Path) -> None:
    """A sample that the models refuse would be shown as InvalidSpec to the first user."""
    for document in yaml.safe_load_all(file.read_text()):
        if document["apiVersion"].startswith("ringfence.dev/"):
            created = {"uid": "u", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
            subject = parse({**document, "metadata": {**document["metadata"], **created}})
            assert subject.problems == ()


def _as_chart(folder: Path) -> Path:
    """Make a chart whose templates are the samples."""
    chart = folder / "samples"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: samples\nversion: 0.1.0\n")
    for file in SAMPLES.glob("*.yaml"):
        shutil.copy(file, chart / "templates")
    return chart
