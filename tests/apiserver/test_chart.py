"""The Helm chart, with the real helm on a real API server."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence.admission import operator_fence
from ringfence.cli.glass import in_force
from ringfence.model.registry import DEFINITIONS
from tests.apiserver.installing import (
    CHART,
    INSTALL,
    REPOSITORY,
    Cluster,
    Helm,
    by_identity,
    documents,
    empty_cluster,
    kustomized,
)
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

KEPT = "helm.sh/resource-policy"
HOOK = "helm.sh/hook"
DEPLOYMENT = ("Deployment", "ringfence-system", "ringfence-operator")
CLAIM = ("PersistentVolumeClaim", "ringfence-system", "ringfence-ledger")


@pytest.fixture
def helm(tmp_path: Path) -> Helm:
    """Run helm without a cluster."""
    return Helm(tmp_path)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Start with nothing installed."""
    with empty_cluster(tmp_path) as empty:
        yield empty


def rendered(helm: Helm, *options: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    text = helm("template", "ringfence", str(CHART), *options).stdout
    return by_identity(documents(text))


def standing(objects: list[dict[str, Any]]) -> set[str]:
    """Names of those that nobody is deleting."""
    return {item["metadata"]["name"] for item in objects if "deletionTimestamp" not in item["metadata"]}


def test_it_installs_upgrades_and_leaves_what_tenants_need(cluster: Cluster) -> None:
    """Uninstalling takes the operator and leaves Tenants, roles and records."""
    told = cluster.helm("install", "ringfence", str(CHART)).stdout
    assert_notes(told)
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    eventually(lambda: in_force(cluster.plane.admin), 60)
    tenant = {"apiVersion": "ringfence.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": "acme"}, "spec": {}}
    cluster.kubectl("apply", "-f", "-", stdin=tenant)
    cluster.helm("upgrade", "ringfence", str(CHART), "--set", "resources.limits.memory=1Gi")
    container = cluster.get("deployments", "-n", "ringfence-system")[0]["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"]["memory"] == "1Gi"

    cluster.helm("uninstall", "ringfence")
    assert cluster.get("deployments", "-n", "ringfence-system") == []
    assert standing(cluster.get("tenants")) == {"acme"}
    assert standing(cluster.get("pvc", "-n", "ringfence-system")) == {CLAIM[2]}
    assert "ringfence-system" in standing(cluster.get("namespaces"))
    roles = standing(cluster.get("clusterroles"))
    assert {f"ringfence-tenant-{role}" for role in ("owner", "admin", "developer", "viewer")} <= roles

    cluster.helm("install", "ringfence", str(CHART))  # what was kept is taken up again


def assert_notes(told: str) -> None:
    """What Helm prints in the end has each kind, and nothing that either of two languages was to replace."""
    notes = told.partition("NOTES:\n")[2]
    for definition in DEFINITIONS:
        assert f"  {definition.resource.plural} " in notes
    assert "Uninstalling keeps" in notes
    assert not re.search(r"\{\{|\}\}|\[\[|\]\]|\[%|WARNING", notes)


def test_it_installs_into_the_operators_own_namespace(cluster: Cluster) -> None:
    """With --create-namespace the namespace is Helm's, and the chart must not bring it a second time."""
    cluster.helm("install", "ringfence", str(CHART), "--namespace", "ringfence-system", "--create-namespace")
    assert cluster.get("deployments", "-n", "ringfence-system")[0]["metadata"]["name"] == "ringfence-operator"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--set", "replicaCount=2"], "replicaCount"),
        (["--set", "crds.enable=true"], "enable"),
        (["--set", "replicas=1"], "replicas"),
        (["--set", "image.tag=a b"], "tag"),
        (["--set", "ledger.accessMode=ReadWriteMany"], "accessMode"),
        (["--set", "ledger.size=ten"], "size"),
    ],
)
def test_a_value_that_would_do_harm_or_nothing_is_refused(helm: Helm, options: Sequence[str], named: str) -> None:
    """The defaults render; a second writer of the ledger, a misspelt key or a wrong form is named and refused."""
    assert DEPLOYMENT in rendered(helm)
    refused = helm("template", "ringfence", str(CHART), *options, check=False)
    assert refused.returncode != 0
    assert named in refused.stderr


def test_definitions_are_those_of_the_repository_and_can_be_left_out(helm: Helm) -> None:
    """Helm upgrades them with the release, since they are templates; keep protects them from an uninstall."""
    source = [each for file in sorted((REPOSITORY / "crds").glob("*.yaml")) for each in documents(file.read_text())]
    in_chart = [item for item in rendered(helm).values() if item["kind"] == "CustomResourceDefinition"]
    assert {item["metadata"]["name"]: item["spec"] for item in in_chart} == {
        item["metadata"]["name"]: item["spec"] for item in source
    }
    assert all(item["metadata"]["annotations"][KEPT] == "keep" for item in in_chart)
    not_kept = rendered(helm, "--set", "crds.keep=false").values()
    assert not any(KEPT in _annotations(item) for item in not_kept if item["kind"] == "CustomResourceDefinition")
    assert not any(key[0] == "CustomResourceDefinition" for key in rendered(helm, "--set", "crds.enabled=false"))


def test_helm_and_kustomize_install_the_same_things(helm: Helm) -> None:
    """Labels and annotations of the two apart, there is one installation with two ways in.

    Only Helm knows the image's final name, and has it told in the record: kustomize's overlays change it later. And
    only Helm needs a gate, since it can't be told to bring policies before definitions.
    """
    by_kustomize = by_identity(documents(kustomized(INSTALL)))
    by_helm = rendered(helm)
    hooks = {identity for identity, item in by_helm.items() if HOOK in _annotations(item)}
    assert {name for _, _, name in hooks} == {"ringfence-gate"}
    by_helm = {identity: item for identity, item in by_helm.items() if identity not in hooks}
    environment = by_helm[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]["env"]
    environment.remove({"name": "RINGFENCE_IMAGE", "value": _image(by_helm)})
    assert by_helm.keys() == by_kustomize.keys()
    for identity, theirs in by_kustomize.items():
        ours = by_helm[identity]
        for part in (theirs.keys() | ours.keys()) - {"metadata"}:
            assert ours.get(part) == theirs.get(part), (identity, part)


def test_the_image_is_named_by_digest_tag_or_the_charts_version(helm: Helm) -> None:
    """A digest wins over a tag, so that what was verified is what runs."""
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    digest = "sha256:" + "0" * 64
    repository = "--set=image.repository=registry.example/operator"
    assert _image(rendered(helm)) == f"localhost/ringfence/operator:{version}"
    assert _image(rendered(helm, repository, "--set", "image.tag=1.2.3")) == "registry.example/operator:1.2.3"
    both = ("--set", "image.tag=1.2.3", "--set", f"image.digest={digest}")
    assert _image(rendered(helm, repository, *both)) == f"registry.example/operator@{digest}"


def test_the_images_that_the_operator_may_run_are_those_of_the_release(helm: Helm) -> None:
    """Policies and the operator's settings name the same ones, or no gateway would start."""
    mine = ("--set", "image.repository=registry.example:5000/operator")
    envoy = ("--set", "gateway.image.repository=registry.example/envoy", "--set", "gateway.image.tag=v1")
    objects = rendered(helm, *mine, *envoy)
    (pins,) = (
        each["expression"]
        for each in objects["ValidatingAdmissionPolicy", "", operator_fence.WORKLOADS.name]["spec"]["variables"]
        if each["name"] == operator_fence.pins().name
    )
    assert pins == operator_fence.pins(("registry.example/envoy", "registry.example:5000/operator")).cel
    environment = objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "RINGFENCE_GATEWAY_IMAGE", "value": "registry.example/envoy:v1"} in environment
    untold = helm(
        "template", "ringfence", str(CHART), "--set", "gateway.image.repository=registry.example/envoy", check=False
    )
    assert "needs a tag or a digest" in untold.stderr


def test_dashboards_come_where_they_are_asked_for(helm: Helm) -> None:
    """As they are in manifests/grafana, under the label by which Grafana's chart looks for them."""
    name = ("ConfigMap", "ringfence-system", "ringfence-dashboards")
    assert name not in rendered(helm)
    made = rendered(helm, "--set", "grafana.dashboards=true")[name]
    kustomization = by_identity(documents(kustomized(REPOSITORY / "manifests" / "grafana")))[name]
    assert made["data"] == kustomization["data"]
    assert sorted(made["data"]) == ["ringfence-gateways.json", "ringfence-operator.json"]
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert kustomization["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_an_issuer_of_cert_managers_comes_with_what_verifies_it(helm: Helm) -> None:
    """Nobody may read it out of a Secret, so the installation says it."""
    named = ("--set", "gateway.certificates.issuerName=platform")
    assert "authority" in helm("template", "ringfence", str(CHART), *named, check=False).stderr
    objects = rendered(helm, *named, "--set", "gateway.certificates.authority=PEM")
    assert objects["ConfigMap", "ringfence-system", "ringfence-gateway-authority"]["data"]["ca.crt"].strip() == "PEM"
    container = objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "RINGFENCE_CERTIFICATE_ISSUER", "value": "ClusterIssuer/platform"} in container["env"]
    assert "/var/run/ringfence-gateway" in {mount["mountPath"] for mount in container["volumeMounts"]}


def test_what_a_platform_adds_of_its_own_is_passed_on(helm: Helm, tmp_path: Path) -> None:
    """Extra environment, volumes, labels and objects need no fork of the chart."""
    values = {
        "podLabels": {"team": "platform"},
        "extraEnv": [{"name": "RINGFENCE_LOG_LEVEL", "value": "debug"}],
        "extraVolumes": [{"name": "key", "secret": {"secretName": "signing"}}],
        "extraVolumeMounts": [{"name": "key", "mountPath": "/key", "readOnly": True}],
        "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-own"}}],
        "ledger": {"existingClaim": "mine"},
        "tolerations": [{"operator": "Exists"}],
    }
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    objects = rendered(helm, "--values", str(file))
    template = objects[DEPLOYMENT]["spec"]["template"]
    container = template["spec"]["containers"][0]
    assert template["metadata"]["labels"]["team"] == "platform"
    assert {"name": "RINGFENCE_LOG_LEVEL", "value": "debug"} in container["env"]
    assert {"name": "key", "mountPath": "/key", "readOnly": True} in container["volumeMounts"]
    assert template["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert ("ConfigMap", "", "ringfence-own") in objects
    assert CLAIM not in objects
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in template["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert claims == ["mine"]


def test_a_signing_key_of_the_platform_is_mounted_for_the_operator_alone(helm: Helm) -> None:
    """Without a Secret the operator makes its own key; with one it is given the file, which not everyone may read."""
    named = ("--set", "signingKey.existingSecret=checkpoints")
    for options, expected in (((), None), (named, "/var/run/ringfence/signing-key.pem")):
        pod = rendered(helm, *options)[DEPLOYMENT]["spec"]["template"]["spec"]
        environment = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}
        assert environment.get("RINGFENCE_SIGNING_KEY") == expected
    secret = next(volume["secret"] for volume in pod["volumes"] if volume["name"] == "signing-key")
    assert secret == {"secretName": "checkpoints", "defaultMode": 0o440}


def test_only_the_platforms_monitoring_is_let_in_to_the_operator(helm: Helm) -> None:
    """Nobody by default; and nothing is left of the policy where a platform brings its own."""
    policy = ("NetworkPolicy", "ringfence-system", "ringfence-operator")
    spec = rendered(helm)[policy]["spec"]
    assert (spec["policyTypes"], "ingress" in spec) == (["Ingress", "Egress"], False)
    monitoring = "networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.team=monitoring"
    (opened,) = rendered(helm, "--set", monitoring)[policy]["spec"]["ingress"]
    assert opened["from"] == [{"namespaceSelector": {"matchLabels": {"team": "monitoring"}}}]
    assert policy not in rendered(helm, "--set", "networkPolicy.enabled=false")


def test_helm_finds_nothing_to_object_to(helm: Helm) -> None:
    """`helm lint --strict` passes."""
    helm("lint", "--strict", str(CHART))


def _annotations(item: dict[str, Any]) -> dict[str, str]:
    return dict(item["metadata"].get("annotations") or {})


def _image(objects: dict[tuple[str, str, str], dict[str, Any]]) -> str:
    return str(objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]["image"])
