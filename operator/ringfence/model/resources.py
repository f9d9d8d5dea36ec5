"""Amounts of compute: what a ResourceQuota and a LimitRange may say.

Law: what is accepted here is accepted by the API server in the ResourceQuota or LimitRange that is made from it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import Field

from ringfence.model.quantity import WHOLE, Quantity
from ringfence.model.rules import Model, Rule, cel_list

_DIVISIBLE: Final = (
    "requests.cpu",
    "limits.cpu",
    "requests.memory",
    "limits.memory",
    "requests.ephemeral-storage",
    "limits.ephemeral-storage",
    "requests.storage",
)
_COUNTED: Final = ("pods", "persistentvolumeclaims", "services", "secrets", "configmaps")
_DOMAIN: Final = "[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
# Devices (requests.nvidia.com/gpu) and objects (count/jobs.batch). The extended form needs a domain of two labels:
# `requests.cpu/x` is nothing.
_OPEN: Final = f"requests[.]{_DOMAIN}[.][a-z]+/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|count/[a-z]+[.]{_DOMAIN}"
_OPEN_LENGTH: Final = 100
_KNOWN: Final = _DIVISIBLE + _COUNTED
_CONTAINER: Final = ("cpu", "memory", "ephemeral-storage")


def _is_quota_resource(name: str) -> bool:
    return name in _KNOWN or (len(name) <= _OPEN_LENGTH and re.fullmatch(_OPEN, name) is not None)


QuotaAmounts = Annotated[
    Mapping[str, Quantity],
    Field(max_length=32),
    Rule(
        f"self.all(k, k in {cel_list(_KNOWN)} || (k.size() <= {_OPEN_LENGTH} && k.matches('^({_OPEN})$')))",
        f"every key must be one of {', '.join(_KNOWN)}, requests.<device> or count/<resource>.<group>",
        lambda amounts: all(_is_quota_resource(name) for name in amounts),
    ),
    Rule(
        f"self.all(k, k in {cel_list(_DIVISIBLE)} || string(self[k]).matches('^({WHOLE})$'))",
        "objects and devices are counted in whole numbers, such as 4",
        lambda amounts: all(name in _DIVISIBLE or amount.whole for name, amount in amounts.items()),
    ),
]
"""Amounts by resource, as in the `hard` of a ResourceQuota."""

ContainerAmounts = Annotated[
    Mapping[str, Quantity],
    Field(max_length=len(_CONTAINER)),
    Rule(
        f"self.all(k, k in {cel_list(_CONTAINER)})",
        f"every key must be one of {', '.join(_CONTAINER)}",
        lambda amounts: set(amounts) <= set(_CONTAINER),
    ),
]
"""Amounts of one container."""

Bytes = Annotated[
    Quantity,
    Rule(
        f"string(self).matches('^({WHOLE})$') && quantity(string(self)).compareTo(quantity('1Gi')) <= 0 "
        "&& quantity(string(self)).compareTo(quantity('1')) >= 0",
        "must be a whole number of bytes between 1 and 1Gi, such as 512Ki",
        lambda size: size.whole and Quantity.parse(1) <= size <= Quantity.parse("1Gi"),
    ),
]


class Quota(Model):
    """What all pods and objects of one Namespace may use together."""

    hard: QuotaAmounts = Field(default_factory=dict)
    """Amounts by resource, allocated from the Tenant's budget."""


class ContainerLimits(Model):
    """What a container gets that says nothing itself."""

    invariants: ClassVar = (
        Rule(
            "!has(self.default) || !has(self.defaultRequest) || self.defaultRequest.all(k, !(k in self.default) || "
            "quantity(string(self.defaultRequest[k])).compareTo(quantity(string(self.default[k]))) <= 0)",
            "a default request must not be more than the default limit",
            lambda limits: all(
                name not in limits.default or amount <= limits.default[name]
                for name, amount in limits.default_request.items()
            ),
            ".defaultRequest",
        ),
    )

    default: ContainerAmounts = Field(default_factory=dict)
    """Limits where the container has none."""
    default_request: ContainerAmounts = Field(default_factory=dict)
    """Requests where the container has none."""
