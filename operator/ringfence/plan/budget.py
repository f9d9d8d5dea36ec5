"""Who of a tenant's Namespaces is granted what: a budget is divided, never measured.

Law: the sum of all grants is never more than the Tenant's budget. A grant that was given stays until it is given
back, which is when the live ResourceQuota says so; what is left goes to the oldest who asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from ringfence.model.quantity import Quantity

Amounts: TypeAlias = list[int]
"""Nano-units, one for each resource of the budget in its order: a tenant may have hundreds of Namespaces."""


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

    budget: Mapping[str, Quantity]
    shares: Mapping[str, tuple[Claim, Amounts, tuple[str, ...]]]
    """By name of the Namespace object: its claim, what it had, the resources of which not enough was left."""
    left: Amounts

    def grant(self, name: str) -> Grant:
        """What Namespace object ``name`` gets."""
        claim, kept, exceeded = self.shares[name]
        asked = claim.asked or {}
        if not exceeded:
            return Grant(dict.fromkeys(self.budget, "0") | {each: str(amount) for each, amount in asked.items()})
        before = {each: claim.live.get(each, str(amount)) for each, amount in asked.items()}
        pairs = zip(self.budget, kept, strict=True)
        return Grant(before | {each: _text(amount, claim.live.get(each, "0")) for each, amount in pairs}, exceeded)

    @property
    def allocated(self) -> Mapping[str, str]:
        """Sums over all grants and over what was not given back yet, by resource of the budget."""
        pairs = zip(sorted(self.budget), self._left_by_name(), strict=True)
        return {name: str(self.budget[name] - Quantity(rest)) for name, rest in pairs}

    def _left_by_name(self) -> list[int]:
        return [rest for _, rest in sorted(zip(self.budget, self.left, strict=True))]


def allocate(budget: Mapping[str, Quantity], claims: Sequence[Claim]) -> Allocation:
    """Divide ``budget`` among ``claims``, which come oldest first."""
    left = [quantity.nanos for quantity in budget.values()]
    nothing = [0] * len(left)
    kept = [_keep(claim.live, budget, left) if claim.live else nothing for claim in claims]
    shares = {
        claim.name: (claim, keeps, _take(claim.asked, budget, keeps, left) if claim.asked is not None else ())
        for claim, keeps in zip(claims, kept, strict=True)
    }
    return Allocation(budget, shares, left)


def _keep(live: Mapping[str, str], budget: Mapping[str, Quantity], left: Amounts) -> Amounts:
    """Reserve what a Namespace has. Where the budget itself was cut below that, the youngest lose first."""
    keeps = [min(_nanos(live.get(name, "0")), rest) for name, rest in zip(budget, left, strict=True)]
    for index, amount in enumerate(keeps):
        left[index] -= amount
    return keeps


def _take(
    asked: Mapping[str, Quantity], budget: Mapping[str, Quantity], keeps: Amounts, left: Amounts
) -> tuple[str, ...]:
    """Take what is asked beyond what is kept, if all of it is left; answers what there is too little of."""
    more = [(asked[name].nanos if name in asked else 0) - keep for name, keep in zip(budget, keeps, strict=True)]
    exceeded = tuple(sorted(name for name, extra, rest in zip(budget, more, left, strict=True) if extra > rest))
    if not exceeded:
        for index, extra in enumerate(more):
            if extra > 0:
                left[index] -= extra
    return exceeded


def _text(nanos: int, live: str) -> str:
    """The canonical text of an amount, written as the live quantity is."""
    return str(Quantity(nanos, Quantity.parse(live).family))


@lru_cache(maxsize=4096)
def _nanos(text: str) -> int:
    return Quantity.parse(text).nanos
