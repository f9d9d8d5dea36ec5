"""The CRDs and the samples as users install them: with the real kubectl, strictly."""

import json
from collections.abc import Callable

import pytest
import yaml

from ringfence.controlplane import Client
from ringfence.model.registry import DEFINITIONS
from tests.controlplane_fixtures import REPOSITORY, Kubectl
from tests.objects import COMPLETE, SAMPLES, complete
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver


@pytest.fixture
def home(kubectl: Kubectl, crds: list[str], tenant_name: Callable[[], str]) -> str:
    """A namespace for objects that belong to a tenant."""
    assert crds
    name = tenant_name()
    kubectl("create", "namespace", name)
    return name


def test_a_strict_apply_of_every_kind_is_accepted(kubectl: Kubectl, home: str) -> None:
    """Every field of the contract goes through `kubectl apply --server-side --validate=strict`."""
    documents = [document for document in yaml.safe_load_all(COMPLETE.read_text()) if document["kind"] != "Tenant"]
    for document in documents:
        document["metadata"]["namespace"] = home
    tenant = complete("Tenant") | {"metadata": {"name": home}}
    done = kubectl("apply", "--server-side", "--validate=strict", "-f-", stdin=[tenant, *documents])
    assert done.stdout.count("serverside-applied") == len(documents) + 1
    again = kubectl("apply", "--validate=strict", "--dry-run=server", "-f-", stdin=[tenant, *documents])
    assert again.stdout.count("(server dry run)") == len(documents) + 1


def test_the_samples_are_accepted_strictly(kubectl: Kubectl, home: str) -> None:
    """What we show applies as it is."""
    samples = [document for file in sorted(SAMPLES.glob("*.yaml")) for document in yaml.safe_load_all(file.read_text())]
    ours = [document for document in samples if document["apiVersion"].startswith("ringfence.dev/")]
    for document in ours:
        if document["kind"] != "Tenant":
            document["metadata"]["namespace"] = home
    kubectl("apply", "--server-side", "--validate=strict", "--dry-run=server", "-f-", stdin=ours)
    assert {document["kind"] for document in ours} == {"Tenant", "Namespace", "ModelRoute", "RetentionPolicy"}


def test_core_namespaces_keep_their_name(kubectl: Kubectl, home: str) -> None:
    """`kubectl get namespaces` and `ns` mean what they always meant; ours are `tns`."""
    kubectl("apply", "-f-", stdin={**complete("Namespace"), "metadata": {"name": "dev", "namespace": home}})
    assert f"namespace/{home}" in kubectl("get", "namespaces", "-o", "name").stdout
    assert f"namespace/{home}" in kubectl("get", "ns", "-o", "name").stdout
    assert kubectl("get", "tns", "-n", home, "-o", "name").stdout.strip() == "namespace.ringfence.dev/dev"


def test_one_category_lists_all_kinds(kubectl: Kubectl, home: str) -> None:
    """`kubectl get ringfence` shows what a tenant has."""
    for kind in ("Namespace", "ModelRoute", "RetentionPolicy", "Guardrail"):
        raw = complete(kind)
        raw["metadata"]["namespace"] = home
        kubectl("apply", "-f-", stdin=raw)
    names = kubectl("get", "ringfence", "-n", home, "-o", "name").stdout
    for plural in ("namespace", "modelroute", "retentionpolicy", "guardrail"):
        assert f"{plural}.ringfence.dev/" in names


@pytest.mark.parametrize(
    ("short_name", "header"),
    [
        ("tn", "NAME READY STATUS NAMESPACES ROUTES AGE"),
        ("tns", "NAME READY STATUS CORE-NAMESPACE ENV AGE"),
        ("mr", "NAME READY STATUS MODEL REVISION AGE"),
        ("rp", "NAME READY HOLDS LAST-SWEEP AGE"),
        ("gr", "NAME TENANT ENV QUARANTINED AGE"),
    ],
)
def test_each_kind_shows_its_columns(kubectl: Kubectl, admin: Client, home: str, short_name: str, header: str) -> None:
    """Whoever lists objects sees at once whether they are ready, and why not."""
    kind = next(definition.resource.kind for definition in DEFINITIONS if definition.short_name == short_name)
    raw = complete(kind)
    raw["metadata"] = {"name": home} if kind == "Tenant" else {**raw["metadata"], "namespace": home}
    kubectl("apply", "-f-", stdin=raw)
    assert " ".join(kubectl("get", short_name, "-n", home).stdout.splitlines()[0].split()) == header


def test_namespaces_are_found_by_environment(kubectl: Kubectl, home: str) -> None:
    """`--field-selector spec.environment=prod` lists what is in production."""
    for name in ("dev", "prod"):
        raw = complete("Namespace")
        raw["metadata"], raw["spec"]["environment"] = {"name": name, "namespace": home}, name
        kubectl("apply", "-f-", stdin=raw)
    found = kubectl("get", "tns", "-n", home, "--field-selector", "spec.environment=prod", "-o", "name").stdout.split()
    assert found == ["namespace.ringfence.dev/prod"]


def test_explain_says_what_a_field_is_for(kubectl: Kubectl, crds: list[str]) -> None:
    """The docstrings of the models are the documentation in the terminal."""
    assert crds
    eventually(lambda: "must not change" not in kubectl("explain", "tns.spec.environment").stdout, timeout=90)
    assert "it never changes" in kubectl("explain", "tns.spec.environment").stdout


def test_applying_the_same_object_again_changes_nothing(kubectl: Kubectl, home: str) -> None:
    """Defaults inside list items would make kubectl say "configured" for ever."""
    raw = complete("Tenant") | {"metadata": {"name": home}}
    kubectl("apply", "-f-", stdin=raw)
    before = json.loads(kubectl("get", "tn", home, "-o", "json").stdout)["metadata"]
    assert kubectl("apply", "-f-", stdin=raw).stdout.strip().endswith("unchanged")
    after = json.loads(kubectl("get", "tn", home, "-o", "json").stdout)["metadata"]
    assert (before["generation"], before["resourceVersion"]) == (after["generation"], after["resourceVersion"])


def test_the_folder_is_a_kustomize_base(kubectl: Kubectl) -> None:
    """Overlays and GitOps tools take the CRDs as they are."""
    built = kubectl("kustomize", str(REPOSITORY / "crds")).stdout
    assert built.count("kind: CustomResourceDefinition") == len(DEFINITIONS)
