"""The default: nothing in, nothing out."""

from ringfence import names
from ringfence.plan.children.network_policies import policy
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place) -> Desired:
    """The policy that selects every pod and allows nothing; all others only add to it."""
    return policy(place, names.DENY_ALL, ingress=(), egress=())
