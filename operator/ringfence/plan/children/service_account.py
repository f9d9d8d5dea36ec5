"""The default ServiceAccount, so that no pod carries a token that nobody asked for."""

from ringfence import names
from ringfence.model.kinds import SERVICE_ACCOUNT
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place) -> Desired:
    """The ServiceAccount that Kubernetes makes in every namespace, without automount."""
    return place.child(SERVICE_ACCOUNT, names.DEFAULT_SERVICE_ACCOUNT, {"automountServiceAccountToken": False})
