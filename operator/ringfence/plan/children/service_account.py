"""ServiceAccounts: the default one, so that no pod carries a token that nobody asked for, and gateway keys."""

from ringfence import names
from ringfence.model.kinds import SERVICE_ACCOUNT
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place) -> Desired:
    """The ServiceAccount that Kubernetes makes in every namespace, without automount."""
    return _without_token(place, names.DEFAULT_SERVICE_ACCOUNT)


def make_gateway(place: Place) -> Desired:
    """The ServiceAccount of the gateway's pods, which ask the API server nothing."""
    return _without_token(place, names.GATEWAY)


def make_key(place: Place, key: str) -> Desired:
    """The ServiceAccount whose tokens are gateway key ``key``; when it goes, they are revoked for good."""
    return _without_token(place, names.gateway_key(key))


def _without_token(place: Place, name: str) -> Desired:
    return place.child(SERVICE_ACCOUNT, name, {"automountServiceAccountToken": False})
