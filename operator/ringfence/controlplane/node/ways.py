"""Where pods can connect to: hosts that the machine names, and Services of the cluster.

Law: NetworkPolicies are not enforced here; what is named here is all that there is.
"""

from collections.abc import Mapping, Set


class Ways:
    """Destinations by `host:port`, as pods say them; the same for all pods of a node."""

    def __init__(self, outside: Mapping[str, str]) -> None:
        """`outside` are those that never change, each with its `address:port`."""
        self._outside = outside
        self._services: Mapping[str, str] = {}

    def lead_to(self, services: Mapping[str, str]) -> None:
        """Know the cluster's Services as they are now: an empty address is that of one without a ready pod."""
        self._services = services

    @property
    def names(self) -> Set[str]:
        """Everything that is known."""
        return self._outside.keys() | self._services.keys()

    def target(self, name: str) -> str:
        """Where it is now. Raises OSError where it is nowhere."""
        found = self._outside.get(name) or self._services.get(name)
        if not found:
            raise ConnectionRefusedError(f"nobody is at {name}")
        return found
