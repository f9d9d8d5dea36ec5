"""Where usage comes from, and where it is kept.

Laws: taking a page twice changes nothing. What was recorded of an hour is recorded again when the hour changed after
all, and never otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ringfence.lineage.entry import LogId
from ringfence.usage.page import Page
from ringfence.usage.tally import Row


class UsageUnavailableError(Exception):
    """The store can't take or give usage now; the message names the file and the next step. Nothing was changed."""


class CollectorError(Exception):
    """A collector did not answer, or not as it should. What it has is asked for again later."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One pod of a gateway."""

    name: str
    address: str
    port: int
    """Of its collector."""
    ending: bool = False
    """It was told to end: what it has counted goes with it."""
    gateway: int = 0
    """Port of its gateway."""
    metrics: int = 0
    """Port of its gateway's metrics."""
    ready: bool = True
    """Callers are led to it."""


@dataclass(frozen=True, slots=True)
class Trust:
    """By what a gateway's replicas are known, and the collectors beside them."""

    server_name: str
    authority: str
    """Certificates, PEM. Nobody is asked where it is empty."""


@dataclass(frozen=True, slots=True)
class Due:
    """An hour that is over, and not recorded as it is."""

    tenant: str
    """Its name."""
    hour: int
    version: int
    """Of the hour in the store: it grows with each change."""
    keep_until: int
    """Seconds since 1970."""
    rows: Sequence[Row]
    """Those of all replicas together."""


class Collectors(Protocol):
    """The sidecars that count."""

    async def page(self, replica: Replica, trust: Trust, after: str) -> bytes:
        """What came after a cursor (all of it after an empty one), as the collector wrote it.

        Raises:
            CollectorError: no answer in seconds, or one that can't be a page.
        """
        ...


class UsageStore(Protocol):
    """The writer's side."""

    async def cursor(self, log: LogId, source: str) -> str:
        """Where ``take`` left off with a replica; empty where it never began."""
        ...

    async def take(self, log: LogId, source: str, page: Page, *, tenant: str, keep: int) -> None:
        """Keep the page's rows for ``keep`` seconds after their hour, and its cursor, in one transaction.

        A row stands for all that its collector ever counted of it, so that it takes the place of what was there.

        Raises:
            UsageUnavailableError: nothing was kept.
        """
        ...

    async def logs(self) -> Sequence[LogId]:
        """Whose usage there is."""
        ...

    async def due(self, log: LogId, before: int) -> Sequence[Due]:
        """The hours that began before that second and are not recorded as they are, oldest first."""
        ...

    async def recorded(self, log: LogId, due: Due, digest: str) -> None:
        """Note that an hour is on record as it was in ``due``."""
        ...


class UsageReader(Protocol):
    """The reader's side, also while the operator runs, or when there is none."""

    def tenants(self) -> Mapping[LogId, str]:
        """Whose usage there is, and the name that each bears."""
        ...

    def rows(self, log: LogId, *, since: int, until: int) -> Iterator[Row]:
        """The rows of the hours from ``since`` to before ``until``, those of all replicas together, sorted."""
        ...

    def digests(self, log: LogId) -> Mapping[int, str]:
        """By hour, what the record commits to; empty for one that is to be recorded yet, or anew."""
        ...
