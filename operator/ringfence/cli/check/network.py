"""Whether NetworkPolicies are enforced: a connection that is open, until a policy denies everything.

Law: a deny means something only where the same probe was open before; without a node nothing is claimed. What is made
for it is taken away, however it ends.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

from ringfence.cli.check.finding import Finding, failed, warning, well

_BY_HAND: Final = "see docs/how-to/install.md"


class Reach(Enum):
    """How an attempt to connect ended."""

    OPEN = "it connected"
    REFUSED = "it was refused"
    TIMEOUT = "there was no answer"


class ProbeError(Exception):
    """The probe could not be made; the message says why."""


class Pods(Protocol):
    """Two pods in a namespace of their own."""

    def begin(self) -> None:
        """Make the namespace."""
        ...

    def serve(self) -> str:
        """Start a pod that takes connections, and return its address."""
        ...

    def connect(self, address: str) -> Reach:
        """Try to connect from another pod."""
        ...

    def deny(self) -> None:
        """Deny everything, both ways, in the namespace."""
        ...

    def end(self) -> None:
        """Take away what was made."""
        ...


class Seen(NamedTuple):
    """What was seen of the network."""

    before: Reach
    after: Reach


def probe(pods: Pods) -> Seen:
    """Connect, deny, connect again. Raises ProbeError where that could not be tried."""
    try:
        pods.begin()
        address = pods.serve()
        before = pods.connect(address)
        pods.deny()
        return Seen(before, pods.connect(address))
    finally:
        pods.end()


def judge_network(seen: Seen) -> Finding:
    """What that tells of the network plugin."""
    if seen.before is not Reach.OPEN:
        words = f"can't be told: between two pods without any policy {seen.before.value}"
        return warning("network", words, "look at the network plugin first")
    if seen.after is Reach.OPEN:
        words = "pods connect through a policy that denies everything: this network plugin enforces none"
        return failed("network", words, "install one that does (Calico, Cilium, …): without it tenants are not fenced")
    return well("network", f"a connection that was open is closed by a policy: {seen.after.value}")


def judge_unprobed(nodes: Sequence[Mapping[str, Any]], *, asked: bool) -> Finding | None:
    """Why nobody probes; None where pods can run and the probe is asked for."""
    if not any(map(_is_ready, nodes)):
        return warning("network", "no nodes: whether NetworkPolicies are enforced cannot be probed")
    if not asked:
        return warning("network", "not probed: it takes two pods", "ringfence check --network")
    return None


def judge_failure(error: ProbeError) -> Finding:
    """The probe could not be made."""
    return warning("network", f"could not be probed: {error}", _BY_HAND)


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
