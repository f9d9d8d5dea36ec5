"""The LimitRange: what a container gets that says nothing itself, so that quotas can be counted."""

from collections.abc import Mapping
from typing import Final

from ringfence import names
from ringfence.model.kinds import LIMIT_RANGE
from ringfence.model.quantity import Quantity
from ringfence.model.resources import ContainerLimits
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired

_LIMITS: Final = {"cpu": Quantity.parse("500m"), "memory": Quantity.parse("512Mi")}
_REQUESTS: Final = {"cpu": Quantity.parse("100m"), "memory": Quantity.parse("128Mi")}


def make(place: Place, asked: ContainerLimits) -> Desired:
    """The defaults of one namespace: as asked, and built-in ones for cpu and memory where nothing is asked."""
    limits = {name: max(most, asked.default_request.get(name, most)) for name, most in _LIMITS.items()}
    limits |= asked.default
    requests = {name: min(least, limits[name]) for name, least in _REQUESTS.items()} | dict(asked.default_request)
    item = {"type": "Container", "default": _text(limits), "defaultRequest": _text(requests)}
    return place.child(LIMIT_RANGE, names.LIMITS, {"spec": {"limits": [item]}})


def _text(amounts: Mapping[str, Quantity]) -> dict[str, str]:
    return {name: str(amounts[name]) for name in sorted(amounts)}
