"""The gateway's certificate: an authority for it alone, or an order to cert-manager.

Laws: an authority's key signs one certificate and is thrown away before anything is written. The Secret goes with the
ConfigMap that tells of its authority: Ringfence may not delete Secrets, for a deletion can answer with the content.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ringfence import names
from ringfence.model.kinds import CERTIFICATE, CONFIG_MAP, SECRET
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Issued

STARTS: Final = "notBefore"
ENDS: Final = "notAfter"
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


def hosts(tenant: str) -> tuple[str, ...]:
    """The names under which workloads reach the gateway; the first one is in its URL."""
    service = f"{names.GATEWAY}.{tenant}"
    return (f"{service}.svc", f"{service}.svc.cluster.local", service)


def make(place: Place, issued: Issued) -> Desired:
    """The ConfigMap that tells of an authority."""
    data = {
        names.AUTHORITY: issued.authority,
        STARTS: issued.starts.strftime(_TIME),
        ENDS: issued.ends.strftime(_TIME),
    }
    return place.child(CONFIG_MAP, issued.name, {"data": data})


def make_secret(place: Place, name: str) -> Desired:
    """The Secret, as far as plans and records see it. Whoever writes it adds its owner's uid, the pair, and no more."""
    owner = {"apiVersion": CONFIG_MAP.api_version, "kind": CONFIG_MAP.kind, "name": name}
    return place.child(SECRET, name, {"type": "kubernetes.io/tls"}, ownerReferences=[owner])


def make_order(place: Place, kind: str, issuer: str) -> Desired:
    """The order to cert-manager, of the issuer with that kind and name. A key is not used twice."""
    spec: dict[str, Any] = {
        "secretName": names.GATEWAY_TLS_ISSUED,
        "dnsNames": list(hosts(place.tenant)),
        "issuerRef": {"group": CERTIFICATE.group, "kind": kind, "name": issuer},
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "usages": ["digital signature", "server auth"],
    }
    return place.child(CERTIFICATE, names.GATEWAY, {"spec": spec})


def read(name: str, data: Mapping[str, str]) -> Issued | None:
    """What a ConfigMap tells; None where it can't be read: it counts for nothing then, and goes."""
    try:
        return Issued(name, data[names.AUTHORITY], _moment(data[STARTS]), _moment(data[ENDS]))
    except (KeyError, ValueError):
        return None


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
