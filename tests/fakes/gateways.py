"""Replicas of gateways in memory, which answer as they were told; implements the port."""

import asyncio
from dataclasses import dataclass, field, replace

from ringfence.plan.gateway.sight import Sight
from ringfence.ports.usage import Replica, Trust

_RESOURCES = ("cds", "lds", "rds", "sds gateway")


@dataclass
class FakeGateways:
    """Every replica serves `revision`, but for those that are told otherwise."""

    revision: str = ""
    otherwise: dict[str, Sight] = field(default_factory=dict)
    silent: dict[str, asyncio.Event] = field(default_factory=dict)
    """Who does not answer before it is set."""
    asked: list[str] = field(default_factory=list)

    async def look(self, replica: Replica, trust: Trust) -> Sight:
        self.asked.append(replica.name)
        if replica.name in self.silent:
            await self.silent[replica.name].wait()
        if not trust.authority:
            return Sight(replica.name, unreachable="no authority of its certificate is known yet")
        return self.otherwise.get(replica.name) or serving(replica.name, self.revision)


def serving(replica: str, revision: str) -> Sight:
    """What a replica answers that serves a revision."""
    return Sight(replica, revision=revision, taken=frozenset((each, revision) for each in _RESOURCES))


def refusing(replica: str, revision: str, resource: str, kept: str, *, rejected: bool = False) -> Sight:
    """The same of one that kept an older version of a resource; whether it says that it rejected one."""
    taken = dict.fromkeys(_RESOURCES, revision) | {resource: kept}
    said = frozenset({resource} if rejected else ())
    return replace(serving(replica, revision), taken=frozenset(taken.items()), rejected=said)
