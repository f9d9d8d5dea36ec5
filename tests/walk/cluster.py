"""What is there: everything that the model tells of, read from the API server at once."""

from dataclasses import dataclass
from typing import Any

from ringfence import names
from ringfence.controlplane import Client
from ringfence.model.kinds import CORE_NAMESPACE, PRIMARY_TYPES, SERVICE_CIDR, Ref, ResourceType
from ringfence.plan.seen import Facts
from ringfence.reach.read import READ, read
from ringfence.reach.verify import Report, verify
from tests.walk.model import KEPT, Picture, picture


@dataclass(frozen=True)
class Cluster:
    """The live cluster."""

    admin: Client

    def picture(self) -> Picture:
        """What is seen."""
        return picture(
            {ref: thing for kind in (CORE_NAMESPACE, *PRIMARY_TYPES, *KEPT) for ref, thing in self._list(kind)}
        )

    def reach(self) -> Report:
        """Who reaches whom."""
        found = (
            {"apiVersion": kind.api_version, "kind": kind.kind, **thing}
            for kind in READ
            for _, thing in self._list(kind)
        )
        reading = read(found)
        return verify(reading.world, reading.declarations)

    def facts(self) -> Facts:
        """What the operator knows of the cluster: no nodes, no classes of storage."""
        ranges = [cidr for _, thing in self._list(SERVICE_CIDR) for cidr in thing["spec"]["cidrs"]]
        return Facts(
            cluster_uid=self.admin.get(CORE_NAMESPACE.path(None, "kube-system")).must()["metadata"]["uid"],
            operator_namespace=names.OPERATOR_NAMESPACE,
            protected_ranges=tuple(sorted(ranges)),
            unknown_ranges=("pods", "nodes"),
        )

    def _list(self, kind: ResourceType) -> list[tuple[Ref, dict[str, Any]]]:
        items = self.admin.get(kind.collection_path()).must()["items"]
        return [(Ref(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]), item) for item in items]
