"""The ConfigMap that tells workloads where their gateway is, and the home's own, from which it is copied."""

from ringfence import names
from ringfence.model.kinds import CONFIG_MAP
from ringfence.plan.children.gateway_certificate import AUTHORITY, hosts
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def url(tenant: str) -> str:
    """Where workloads reach the gateway: the base of its API."""
    return f"https://{hosts(tenant)[0]}:{names.GATEWAY_PORT}/v1"


def make(place: Place, authorities: str = "", *, served: bool = False) -> Desired:
    """The gateway's address, and the authorities of its certificates, old and new, PEM.

    Until a gateway serves, it says so and trusts no authority.
    """
    data = {
        "audience": names.GATEWAY_AUDIENCE,
        AUTHORITY: authorities,
        "served": "true" if served else "false",
        "url": url(place.tenant),
    }
    return place.child(CONFIG_MAP, names.GATEWAY_CONFIG_MAP, {"data": data})
