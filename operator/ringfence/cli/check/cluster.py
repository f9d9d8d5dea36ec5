"""The cluster around: nodes, name resolution, storage.

Law: what tenants take for granted is looked for where it usually is; where it is not, somebody says where.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ringfence.admission.scheduling import REGION
from ringfence.cli.check.finding import Finding, warning, well
from ringfence.engine.facts import DEFAULT_CLASS_ANNOTATION


def judge_nodes(nodes: Sequence[Mapping[str, Any]]) -> Finding:
    """Whether pods can be kept to regions: by a label of each node."""
    without = [node["metadata"]["name"] for node in nodes if REGION not in node["metadata"].get("labels", {})]
    if not nodes:
        return warning("nodes", "there are none: nothing can run")
    if without:
        words = f"{len(without)} of {len(nodes)} have no label {REGION}: {', '.join(sorted(without)[:5])}"
        return warning("nodes", words, "label them, or pods of tenants with regions never run there")
    return well("nodes", f"{len(nodes)}, each with a region")


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
