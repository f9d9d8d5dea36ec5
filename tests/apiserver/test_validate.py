"""`ringfence validate` beside the real kubectl: the same text means the same."""

import json
from typing import Final

import pytest

from ringfence.cli.manifests import documents
from tests.controlplane_fixtures import Kubectl
from tests.objects import complete

pytestmark = pytest.mark.apiserver

SCALARS: Final = (
    *("y", "n", "yes", "No", "on", "OFF", "true", "False", "~", "null", "", "'yes'", '"1"', "!!str 1"),
    *("12:30", "1:2:3", "2026-11-01", "2026-11-01T00:00:00Z", "1.0", "1.5", "1e3", "1.5e3", "-1", "+1", ".5", "5."),
    *("012", "0o12", "0x1F", "0b11", "1_000", "0", "-0", "007", "1Gi", "8", "a b", "'a # b'", "a # b", "|-\n  a\n  b"),
)


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_scalar_means_what_it_means_to_kubectl(kubectl: Kubectl, scalar: str) -> None:
    """A schedule of 12:30 or a name `on` is not what it looks like to every parser."""
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x, namespace: default}}\nprobe: {scalar}\n"
    theirs = json.loads(kubectl("create", "--dry-run=client", "--validate=false", "-ojson", "-f-", stdin=text).stdout)
    (ours,) = documents(text)
    assert ours.value == theirs


def test_kubectl_takes_the_last_of_two_keys_in_silence(kubectl: Kubectl, crds: list[str]) -> None:
    """Why duplicate keys are worth a finding of their own."""
    assert crds
    text = json.dumps(complete("Namespace") | {"metadata": {"name": "twice", "namespace": "default"}})
    twice = text.replace('"environment": "dev"', '"environment": "dev", "environment": "prod"', 1)
    done = kubectl("create", "--dry-run=server", "--validate=strict", "-ojson", "-f-", stdin=twice)
    assert json.loads(done.stdout)["spec"]["environment"] == "prod"
    (document,) = documents(twice)
    assert [fault.path for fault in document.faults] == ["spec.environment"]
