"""How many of a tenant's routes its gateway has room for, counted before anything of it is rendered.

Law: whoever may make routes holds up neither the operator nor others' routes. None is served that is newer than one
that is not. A configuration that passes one of these bounds is larger than a ConfigMap is, as measured, and is
not rendered to learn it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ringfence.model.modelroute import Workload

MOST_ROUTES: Final = 800
"""Of one tenant; what is newer waits."""
MOST_ACCOUNTS: Final = 256
"""That all these routes name together: each may be told of other models."""
MOST_CLUSTERS: Final = 512
"""Of routes that limit their parallel requests: each of their backends has a cluster of its own, of 2.8 to 4 kB."""
MOST_LISTED: Final = 16_384
"""Models in all lists for accounts that some route names, each of 75 bytes at least; who gets the same shares one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one route takes of the room."""

    accounts: frozenset[Workload]
    """Those it names; everybody's lists have it where it names none."""
    clusters: int
    """That are its own."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """The models that one account is told of because it is named."""

    which: int = 0
    """Equal for accounts that the same routes name."""
    models: int = 0

    def further(self, number: int) -> "_Listed":
        return _Listed(hash((self.which, number)), self.models + 1)


def fitting(routes: Iterable[Wanted]) -> int:
    """How many of ``routes``, the oldest first, are served."""
    lists: dict[Workload, _Listed] = {}
    clusters = open_to_all = fit = 0
    for number, each in enumerate(routes):
        clusters += each.clusters
        open_to_all += not each.accounts
        lists.update({account: lists.get(account, _Listed()).further(number) for account in each.accounts})
        if clusters > MOST_CLUSTERS or len(lists) > MOST_ACCOUNTS or _listed(lists, open_to_all) > MOST_LISTED:
            break
        fit += 1
    return fit


def _listed(lists: dict[Workload, _Listed], open_to_all: int) -> int:
    return sum(each.models + open_to_all for each in set(lists.values()))
