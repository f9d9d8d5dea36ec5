"""A reflector keeps a store equal to what the API server has, through every disconnect.

Law: after a list, what the list did not name is gone; a missed deletion is seen at the latest then.
"""

import asyncio
import sys
from collections.abc import Set
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import structlog

from ringfence.engine.queue import backoff
from ringfence.model.kinds import ResourceType
from ringfence.ports.cluster import ClusterError, ExpiredError, NotFoundError, Object, Reader, RefusedError

log = structlog.get_logger(__name__)

Key: TypeAlias = tuple[str, str]
"""Namespace (empty for cluster-scoped types) and name."""

SHORTEST_PAUSE: Final = 0.1  # seconds between attempts, doubling to the longest
LONGEST_PAUSE: Final = 30.0


class Store(Protocol):
    """What a reflector fills."""

    def seen(self, kind: ResourceType, thing: Object) -> None:
        """Note an object as it is, or was a moment ago: older than what is known is ignored."""
        ...

    def gone(self, kind: ResourceType, thing: Object) -> None:
        """Note that an object was deleted."""
        ...

    def listed(self, kind: ResourceType, keys: Set[Key], resource_version: int) -> None:
        """Note that at ``resource_version`` exactly these existed."""
        ...

    def serves(self, kind: ResourceType, *, served: bool) -> None:
        """Note whether the API server serves the type at all."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What is watched: a type, and of it what a label selector selects."""

    kind: ResourceType
    selector: str = ""
    optional: bool = False
    """True for a type that the cluster need not serve: its absence is an answer, not a failure."""


def key_of(thing: Object) -> Key:
    """Return the object's place among its type."""
    metadata = thing["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class Reflector:
    """One list and watch, for ever."""

    def __init__(self, scope: Scope, reader: Reader, store: Store) -> None:
        self.scope = scope
        self.synced = asyncio.Event()
        self._reader = reader
        self._store = store
        self._since = ""
        self._failures = 0

    async def run(self) -> None:
        """Keep the store up to date until cancelled."""
        while True:
            try:
                if not self._since:
                    await self._list()
                await self._watch()
            except ExpiredError:
                self._since = ""
            except NotFoundError as error:
                await self._absent(error)
            except ClusterError as error:
                await self._pause(error)

    async def _list(self) -> None:
        keys: set[Key] = set()
        version = ""
        async for page in self._reader.pages(self.scope.kind, selector=self.scope.selector):
            for thing in page.items:
                self._store.seen(self.scope.kind, thing)
                keys.add(key_of(thing))
            version = page.resource_version
        self._store.serves(self.scope.kind, served=True)
        self._store.listed(self.scope.kind, keys, int(version))
        self._since = version
        self._failures = 0
        self.synced.set()

    async def _watch(self) -> None:
        events = self._reader.watch(self.scope.kind, since=self._since, selector=self.scope.selector)
        quiet = True
        async for event in events:
            if event.type == "DELETED":
                self._store.gone(self.scope.kind, event.object)
            elif event.type != "BOOKMARK":
                self._store.seen(self.scope.kind, event.object)
            self._since = event.object["metadata"]["resourceVersion"]
            self._failures = 0
            quiet = False
        if quiet:  # a server that ends watches at once must not be asked in a tight loop
            await asyncio.sleep(SHORTEST_PAUSE)

    async def _absent(self, error: NotFoundError) -> None:
        """Note that the type is not served, and look for it again: its definition may be installed later."""
        self._since = ""
        if not self.scope.optional:
            await self._pause(error)
            return
        self._store.serves(self.scope.kind, served=False)
        self._store.listed(self.scope.kind, frozenset(), sys.maxsize)
        self.synced.set()
        await asyncio.sleep(LONGEST_PAUSE)

    async def _pause(self, error: ClusterError) -> None:
        """Wait before the next attempt. What was refused is listed anew, for rights or types may have changed."""
        if isinstance(error, RefusedError):
            self._since = ""
        self._failures += 1
        delay = min(LONGEST_PAUSE, backoff(self._failures, least=SHORTEST_PAUSE))
        log.warning(
            "watch interrupted",
            resource=self.scope.kind.plural,
            error=error.message,
            status=error.status,
            retry_in=round(delay, 1),
        )
        await asyncio.sleep(delay)
