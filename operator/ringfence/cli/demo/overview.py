"""What exists, read from the API server with kubectl: the demo's table."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from rich.table import Table

from ringfence import names
from ringfence.cli.demo.cluster import DemoCluster

_CHILDREN: Final = {
    "NetworkPolicy": "POLICIES",
    "ResourceQuota": "QUOTA",
    "LimitRange": "LIMITS",
    "Guardrail": "GUARDRAIL",
    "RoleBinding": "BINDINGS",
}
_RESOURCES: Final = "networkpolicies,resourcequotas,limitranges,guardrails,rolebindings"

Object = Mapping[str, Any]


def condition(item: Object, kind: str) -> Mapping[str, str]:
    """The condition of that type; empty where there is none for the object's present generation."""
    for entry in item.get("status", {}).get("conditions", ()):
        if entry["type"] == kind and entry.get("observedGeneration") == item["metadata"]["generation"]:
            found: Mapping[str, str] = entry
            return found
    return {}


@dataclass(frozen=True)
class Overview:
    """Tenants, Namespaces and what stands in each core namespace."""

    tenants: list[dict[str, Any]]
    namespaces: list[dict[str, Any]]
    routes: list[dict[str, Any]]
    policies: list[dict[str, Any]]
    """RetentionPolicies: this release judges them without enforcing them."""
    children: Counter[tuple[str, str]]

    @classmethod
    def of(cls, cluster: DemoCluster) -> Self:
        """Read it."""
        label = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY}"
        made = cluster.items(_RESOURCES, "--all-namespaces", "--selector", label)
        children = Counter((item["metadata"]["namespace"], item["kind"]) for item in made)
        return cls(
            tenants=cluster.items("tenants"),
            namespaces=cluster.items("tenantnamespaces", "--all-namespaces"),
            routes=cluster.items("modelroutes", "--all-namespaces"),
            policies=cluster.items("retentionpolicies", "--all-namespaces"),
            children=children,
        )

    def table(self) -> Table:
        """One row a core namespace."""
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in ("TENANT", "NAMESPACE", "ENVIRONMENT", "READY"):
            table.add_column(column, no_wrap=True)
        for column in _CHILDREN.values():
            table.add_column(column, justify="right")
        for tenant in self.tenants:
            home = tenant["metadata"]["name"]
            self._row(table, home, home, "home", tenant)
            for item in self.namespaces:
                if item["metadata"]["namespace"] == home:
                    core = names.core_namespace(home, item["metadata"]["name"])
                    self._row(table, "", core, item["spec"]["environment"], item)
        return table

    def _row(self, table: Table, tenant: str, core: str, environment: str, item: Object) -> None:
        counts = (str(self.children[core, kind] or "-") for kind in _CHILDREN)
        table.add_row(tenant, core, environment, condition(item, "Ready").get("status", "-"), *counts)
