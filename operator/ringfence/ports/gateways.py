"""By whom gateways are looked at, over the network that their callers use.

Law: it asks what every look asks, as nobody and as the probe, and judges nothing.
"""

from typing import Protocol

from ringfence.plan.gateway.sight import Sight
from ringfence.ports.usage import Replica, Trust


class Gateways(Protocol):
    """Looks at replicas."""

    async def look(self, replica: Replica, trust: Trust) -> Sight:
        """What a replica answers in seconds; it never raises for what the replica does or fails to do."""
        ...
