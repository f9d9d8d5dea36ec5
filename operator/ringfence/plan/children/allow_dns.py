"""Name resolution, without which nothing works."""

from ringfence import names
from ringfence.model.tenant_network import Dns
from ringfence.plan.children.network_policies import foreign_namespace, policy, ports
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place, dns: Dns) -> Desired:
    """Egress of every pod to the cluster's DNS servers."""
    servers = {
        "namespaceSelector": foreign_namespace(dns.namespace),
        "podSelector": {"matchLabels": dict(dns.pod_selector)},
    }
    caches = [{"ipBlock": {"cidr": cidr}} for cidr in sorted(dns.cidrs)]
    rule = {"to": [servers, *caches], "ports": ports(dns.ports, ("UDP", "TCP"))}
    return policy(place, names.ALLOW_DNS, egress=[rule])
