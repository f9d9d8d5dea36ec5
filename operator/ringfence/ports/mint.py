"""Who makes certificates for gateways.

Law: what is secret of one is handed over once, to whoever writes its Secret, and is nowhere afterwards.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ringfence.plan.seen import Issued


class Mint(Protocol):
    """Makes authorities that sign one certificate each."""

    def issue(self, namespace: str, hosts: Sequence[str], now: datetime, ends: datetime) -> Issued:
        """Certify a new key for ``hosts`` until ``ends``, and keep the pair until it is spent or another is asked for.

        The authority's own key is gone when this returns.
        """
        ...

    def pair(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The content of the Secret ``name``; raises KeyError where there is no such pair (any more)."""
        ...

    def spent(self, namespace: str, name: str) -> None:
        """Forget the pair: it is written."""
        ...
