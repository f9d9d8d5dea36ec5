"""The samples: what a newcomer applies first must go in with every common applier, on an empty cluster."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from ringfence import names
from ringfence.cli.demo.operator import OperatorProcess
from ringfence.model.parse import parse
from tests.apiserver.installing import SAMPLES, Cluster, documents, on
from tests.installed import installed
from tests.operating import operator_kubeconfig
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver


@pytest.fixture
def cluster(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Cluster]:
    """Have Ringfence installed and running, and nothing else."""
    with installed(pytestconfig) as plane:
        config = operator_kubeconfig(plane)
        operator = OperatorProcess(kubeconfig=config, ledger=f"sqlite:///{tmp_path}/ledger", folder=tmp_path)
        try:
            eventually(operator.leads, timeout=60)
            yield on(plane, tmp_path)
        finally:
            operator.kill()


def apply_folder(cluster: Cluster, _: Path) -> str:
    return cluster.kubectl("apply", "-f", str(SAMPLES)).stdout


def apply_kustomization(cluster: Cluster, _: Path) -> str:
    return cluster.kubectl("apply", "-k", str(SAMPLES)).stdout


def apply_in_helms_order(cluster: Cluster, folder: Path) -> str:
    """Helm sorts by kind; what it prints is in that order, and kubectl sends it one by one."""
    ordered = cluster.helm("template", "samples", str(_as_chart(folder))).stdout
    kinds = [document["kind"] for document in documents(ordered)]
    assert kinds.index("Namespace") == 0
    assert kinds.index("Tenant") > kinds.index("RetentionPolicy"), "the Tenant comes last: nothing may depend on order"
    return cluster.kubectl("apply", "-f", "-", stdin=ordered).stdout


@pytest.mark.parametrize("apply", [apply_folder, apply_kustomization, apply_in_helms_order])
def test_the_samples_go_into_an_empty_cluster_in_one_go_and_become_ready(
    cluster: Cluster, tmp_path: Path, apply: Callable[[Cluster, Path], str]
) -> None:
    """However they are sorted on the way. Applied again, neither a default nor the operator's work is a difference."""
    apply(cluster, tmp_path)
    _everything_becomes_ready(cluster)
    again = apply(cluster, tmp_path).splitlines()
    assert len(again) > 10
    assert all(line.endswith(" unchanged") for line in again), again


def test_helm_installs_and_upgrades_the_samples(cluster: Cluster, tmp_path: Path) -> None:
    """Helm sends all objects whose kind is called Namespace at once; where a home came late, the next run finishes.

    It labels a declared home namespace as managed by itself: if the operator took that label, upgrades would conflict.
    """
    chart = str(_as_chart(tmp_path))
    first = cluster.helm("upgrade", "--install", "samples", chart, check=False)
    if first.returncode:
        assert "not found" in first.stderr
        cluster.helm("upgrade", "--install", "samples", chart)
    _everything_becomes_ready(cluster)
    cluster.helm("upgrade", "samples", chart)
    homes = cluster.get("namespaces", "-l", f"{names.HOME_LABEL},{names.OWNER_UID_LABEL}")
    assert {home["metadata"]["labels"][names.MANAGED_BY_LABEL] for home in homes} == {"Helm"}


def _everything_becomes_ready(cluster: Cluster) -> None:
    """Two tenants, five namespaces, a route and a policy each."""
    for kind in ("tenants", "tenantnamespaces"):
        cluster.kubectl("wait", "--for=condition=Ready", kind, "--all", "--all-namespaces", "--timeout=60s")
    assert {item["metadata"]["name"] for item in cluster.get("tenants")} == {"acme", "globex"}
    assert len(cluster.get("tenantnamespaces", "--all-namespaces")) == 5
    for kind in ("modelroutes", "retentionpolicies"):
        homes = {item["metadata"]["namespace"] for item in cluster.get(kind, "--all-namespaces")}
        assert homes == {"acme", "globex"}, kind


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
