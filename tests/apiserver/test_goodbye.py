"""The ways out, as they are written down: their very words are run."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from ringfence.controlplane import find_tools
from tests.apiserver.installing import REPOSITORY, Cluster, empty_cluster, install
from tests.operating import operating, operator_kubeconfig
from tests.tenancy import Tenancy
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

PAGE: Final = REPOSITORY / "docs" / "how-to" / "upgrade-and-uninstall.md"
SOON: Final = 60.0  # seconds
OURS: Final = (
    "clusterrolebindings,clusterroles,customresourcedefinitions,flowschemas,mutatingadmissionpolicies,"
    "mutatingadmissionpolicybindings,prioritylevelconfigurations,validatingadmissionpolicies,"
    "validatingadmissionpolicybindings"
)


def commands(section: str) -> str:
    """What a section of the page has its reader type."""
    text = re.search(rf"^## {section}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert text, section
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", text[1], re.MULTILINE | re.DOTALL)
    assert blocks, section
    return "".join(blocks)


def typed(cluster: Cluster, script: str) -> None:
    """Type it, stopping at the first command that fails."""
    path = f"{find_tools(['kubectl'])['kubectl'].parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "KUBECONFIG": str(cluster.plane.admin_kubeconfig)}
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(
        command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def names_of(cluster: Cluster, resource: str) -> set[str]:
    """What is there."""
    return {each["metadata"]["name"] for each in cluster.get(resource)}


def left(cluster: Cluster, kinds: str) -> list[str]:
    """What is there by a name of ours."""
    found: list[dict[str, Any]] = json.loads(cluster.kubectl("get", kinds, "-A", "-o", "json").stdout)["items"]
    names = (f"{each['kind']} {each['metadata']['name']}" for each in found)
    return [each for each in names if "ringfence" in each]


def test_a_cluster_is_left_by_the_words_of_the_page(tmp_path: Path) -> None:
    """First without an operator, then altogether: nothing is refused, nothing hangs, nothing of ours stays."""
    with empty_cluster(tmp_path) as cluster:
        install(cluster.kubectl)
        with operating(cluster.plane, tmp_path, kubeconfig=operator_kubeconfig(cluster.plane)):
            acme, kept = (Tenancy(cluster.plane.admin, name) for name in ("acme", "kept"))
            for tenancy in (acme, kept):
                tenancy.begin()
            eventually(lambda: {"acme", "kept"} <= names_of(cluster, "namespaces"), SOON)
            for tenancy in (acme, kept):
                tenancy.apply("web")
            eventually(lambda: acme.served("web") and kept.served("web"), SOON)
        cluster.kubectl("delete", "tenantnamespaces", "web", "-n", "acme", "--wait=false")
        cluster.kubectl("annotate", "tenant", "acme", "ringfence.dev/confirm-delete=acme")
        cluster.kubectl("delete", "tenant", "acme", "--wait=false", user="ben", groups=["system:masters"])
        typed(cluster, commands("When the operator is gone for good"))
        eventually(lambda: "acme-web" not in names_of(cluster, "namespaces"), SOON)
        assert names_of(cluster, "tenants") == {"kept"}
        why = '{"metadata":{"finalizers":null,"annotations":{"ringfence.dev/break-glass":"the operator is gone"}}}'
        for kind in (("tenantnamespaces", "web", "-n", "kept"), ("tenants", "kept")):
            cluster.kubectl("patch", *kind, "--type=merge", "-p", why)
        typed(cluster, commands("Uninstall"))
        eventually(lambda: left(cluster, OURS) == [], SOON)
        assert "kept-web" in names_of(cluster, "namespaces")
