"""The ConfigMap that tells workloads where their gateway is."""

from ringfence import names
from ringfence.model.kinds import CONFIG_MAP
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place) -> Desired:
    """The gateway's address. Until a gateway serves, it says so and trusts no certificate authority."""
    data = {
        "audience": names.GATEWAY_AUDIENCE,
        "ca.crt": "",
        "served": "false",
        "url": f"https://{names.GATEWAY}.{place.tenant}.svc:{names.GATEWAY_PORT}/v1",
    }
    return place.child(CONFIG_MAP, names.GATEWAY_CONFIG_MAP, {"data": data})
