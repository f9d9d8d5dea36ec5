"""What a connection is, seen from a tenant: the table of what is meant to be and what is not."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Why a connection exists, or why it should not."""

    WITHIN = "Within"
    PEERS = "Peers"
    GATEWAY = "Gateway"
    DNS = "DNS"
    SHARED_INGRESS = "SharedIngress"
    EGRESS_EXCEPTION = "EgressException"
    UNDECIDED = "Undecided"
    UNDECLARED = "Undeclared"
    OTHER_ENVIRONMENT = "OtherEnvironment"
    OTHER_TENANT = "OtherTenant"
    UNFENCED = "Unfenced"


MEANING: Final = {
    Kind.WITHIN: "between pods of one namespace",
    Kind.PEERS: "between namespaces of one tenant and environment",
    Kind.GATEWAY: "of a tenant's gateway: with workloads, the operator and its neighbours, and providers by port 443",
    Kind.DNS: "name resolution, as the Tenant's spec.network.dns says",
    Kind.SHARED_INGRESS: "a shared service that the Tenant's spec.network.ingressFrom lets in",
    Kind.EGRESS_EXCEPTION: "a network that the Tenant's spec.network.egress opens",
    Kind.UNDECIDED: "crosses the tenant's fence, and its Tenant was not there to be asked whether it may",
    Kind.UNDECLARED: "crosses the tenant's fence, and its Tenant declares no such exception",
    Kind.OTHER_ENVIRONMENT: "between two environments of one tenant",
    Kind.OTHER_TENANT: "between two tenants",
    Kind.UNFENCED: "no policy closes this direction for these pods",
}
WHOM: Final = {
    Kind.UNDECLARED: "others than the Tenant declares",
    Kind.OTHER_ENVIRONMENT: "pods of other environments",
    Kind.OTHER_TENANT: "pods of other tenants",
}
"""For whom an opening should not be."""

BREACHES: Final = frozenset({Kind.UNDECLARED, Kind.OTHER_ENVIRONMENT, Kind.OTHER_TENANT, Kind.UNFENCED})
