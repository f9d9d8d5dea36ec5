"""The cluster around: nodes, name resolution, storage, who enforces NetworkPolicies.

Law: without a node nothing can be seen of the network, and nothing is claimed of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence.admission.scheduling import REGION
from ringfence.cli.check.finding import Finding, warning, well
from ringfence.engine.facts import DEFAULT_CLASS_ANNOTATION

# What network plugins that enforce NetworkPolicies run on every node, by the names of their DaemonSets.
ENFORCERS: Final = (
    "antrea-agent",
    "anetd",
    "aws-node",
    "azure-npm",
    "calico-node",
    "canal",
    "cilium",
    "kindnet",
    "kube-router",
    "ovnkube-node",
    "weave-net",
)


def judge_nodes(nodes: Sequence[Mapping[str, Any]]) -> Finding:
    """Whether pods can be kept to regions: by a label of each node."""
    without = [node["metadata"]["name"] for node in nodes if REGION not in node["metadata"].get("labels", {})]
    if not nodes:
        return warning("nodes", "there are none: nothing can run")
    if without:
        words = f"{len(without)} of {len(nodes)} have no label {REGION}: {', '.join(sorted(without)[:5])}"
        return warning("nodes", words, "label them, or pods of tenants with regions never run there")
    return well("nodes", f"{len(nodes)}, each with a region")


def judge_network(nodes: Sequence[Mapping[str, Any]], daemon_sets: Sequence[str]) -> Finding:
    """Whether somebody enforces NetworkPolicies. By name only: that no packet passes, packets alone can show."""
    if not any(map(_is_ready, nodes)):
        return warning("network", "no nodes: whether NetworkPolicies are enforced cannot be probed")
    known = sorted({name for name in daemon_sets for enforcer in ENFORCERS if name.startswith(enforcer)})
    step = "try it with two pods and a policy that denies everything: docs/how-to/verify-isolation.md"
    if known:
        return warning("network", f"{', '.join(known)} can enforce NetworkPolicies; no packet was sent to see it", step)
    return warning("network", "no network plugin that is known to enforce NetworkPolicies", step)


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def judge_services(services: Sequence[Mapping[str, Any]], classes: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """What tenants take for granted: names are resolved, volumes have a class."""
    if any(each["metadata"]["name"] in ("kube-dns", "coredns", "rke2-coredns-rke2-coredns") for each in services):
        yield well("dns", "a DNS service in kube-system")
    else:
        step = "say in Tenants where it is: spec.network.dns"
        yield warning("dns", "no service kube-dns in kube-system", step)
    default = [each["metadata"]["name"] for each in classes if _is_default(each)]
    if default:
        yield well("storage", f"default class {', '.join(default)}")
    else:
        yield warning("storage", "no default StorageClass", "name one in the ledger's claim and in spec.storageClasses")


def _is_default(storage_class: Mapping[str, Any]) -> bool:
    annotations: Mapping[str, str] = storage_class["metadata"].get("annotations") or {}
    return annotations.get(DEFAULT_CLASS_ANNOTATION) == "true"
