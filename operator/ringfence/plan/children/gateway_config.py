"""The ConfigMap that tells workloads where their gateway is and people how it is called, and the home's, its source."""

from collections.abc import Mapping
from typing import Final

from ringfence import names
from ringfence.model.kinds import CONFIG_MAP
from ringfence.plan.children.gateway_certificate import hosts
from ringfence.plan.children.gateway_notes import notes
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired

_SERVED: Final = "served"


def url(tenant: str) -> str:
    """Where workloads reach the gateway: the base of its API."""
    return f"https://{hosts(tenant)[0]}:{names.GATEWAY_PORT}/v1"


def make(place: Place, authorities: str, *, served: bool) -> Desired:
    """The gateway's address, and the authorities of its certificates, old and new, PEM."""
    return _told(place, authorities, "true" if served else "false")


def copy(place: Place, told: Mapping[str, str]) -> Desired:
    """The same in a core namespace, from what the home tells; where it tells nothing, nobody serves or is trusted."""
    return _told(place, told.get(names.AUTHORITY, ""), told.get(_SERVED, "false"))


def _told(place: Place, authorities: str, served: str) -> Desired:
    address = url(place.tenant)
    data = {
        "audience": names.GATEWAY_AUDIENCE,
        names.AUTHORITY: authorities,
        "notes": notes(place.tenant, address, home=place.is_home),
        _SERVED: served,
        "url": address,
    }
    return place.child(CONFIG_MAP, names.GATEWAY_CONFIG_MAP, {"data": data})
