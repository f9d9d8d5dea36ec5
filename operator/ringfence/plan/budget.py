"""Who of a tenant's Namespaces is granted what: a budget is divided, never measured.

Law: the sum of all grants is never more than the Tenant's budget. A grant that was given stays until it is given
back, which is when the live ResourceQuota says so; what is left goes to the oldest who asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ringfence.model.quantity import Quantity

Amounts = Mapping[str, int]
"""Nano-units by resource."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one Namespace asks for, and what it has."""

    name: str
    asked: Mapping[str, Quantity] | None
    """None where it asks for nothing (any more): what it has counts until it is gone."""
    live: Mapping[str, str] = field(default_factory=dict)
    """``hard`` of the live ResourceQuota; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one Namespace gets."""

    hard: Mapping[str, str]
    """Canonical quantities for the ResourceQuota: all that was asked, and zero for what only the budget names."""
    exceeded: tuple[str, ...] = ()
    """Resources of which not enough is left; ``hard`` is then what was granted before."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """The division of one budget."""

    grants: Mapping[str, Grant]
    """By the name of the Namespace object."""
    allocated: Mapping[str, str]
    """Sums over all grants and over what was not given back yet, by resource of the budget."""


def allocate(budget: Mapping[str, Quantity], claims: Sequence[Claim]) -> Allocation:
    """Divide ``budget`` among ``claims``, which come oldest first."""
    left = {name: quantity.nanos for name, quantity in budget.items()}
    kept = [_keep(claim, left) for claim in claims]
    grants = {claim.name: _grant(claim, keeps, left) for claim, keeps in zip(claims, kept, strict=True)}
    spent = {name: Quantity(quantity.nanos - left[name], quantity.family) for name, quantity in budget.items()}
    return Allocation(grants, {name: str(amount) for name, amount in sorted(spent.items())})


def _keep(claim: Claim, left: dict[str, int]) -> Amounts:
    """Reserve what the Namespace has. Where the budget itself was cut below that, the youngest lose first."""
    keeps = {name: min(_parse(claim.live.get(name, "0")).nanos, rest) for name, rest in left.items()}
    for name, amount in keeps.items():
        left[name] -= amount
    return keeps


def _grant(claim: Claim, keeps: Amounts, left: dict[str, int]) -> Grant:
    """Give what is asked if all of it is there, and take it from what is ``left``."""
    if claim.asked is None:
        return Grant({})
    wanted = {name: claim.asked[name].nanos if name in claim.asked else 0 for name in left}
    exceeded = tuple(sorted(name for name, rest in left.items() if wanted[name] - keeps[name] > rest))
    if exceeded:
        return Grant(_kept(claim.asked, keeps, claim.live), exceeded)
    for name in left:
        left[name] -= max(wanted[name] - keeps[name], 0)
    return Grant(dict.fromkeys(wanted, "0") | {name: str(amount) for name, amount in claim.asked.items()})


def _kept(asked: Mapping[str, Quantity], keeps: Amounts, live: Mapping[str, str]) -> Mapping[str, str]:
    """What was granted before."""
    kept = {name: str(Quantity(amount, _parse(live.get(name, "0")).family)) for name, amount in keeps.items()}
    return {name: live.get(name, str(amount)) for name, amount in asked.items()} | kept


@lru_cache(maxsize=4096)
def _parse(text: str) -> Quantity:
    return Quantity.parse(text)
