"""Counts our own custom resources, because the watch that brings them does not say what it missed.

kopf delivers objects, but neither says when its first list is complete, nor notices an object that was deleted while
it was disconnected. A list of metadata once a minute answers both, at a few hundred bytes an object.

Law: nothing is decided before everything that existed at the start is known.
"""

import asyncio
from collections.abc import Set
from typing import Final

import structlog

from ringfence.engine.subjects import Subjects
from ringfence.model.kinds import GROUP, PRIMARY_TYPES, ResourceType
from ringfence.ports.cluster import ClusterError, NotFoundError, Object, Reader

log = structlog.get_logger(__name__)

EVERY: Final = 60.0  # seconds
RETRY: Final = 2.0
ARRIVAL_POLL: Final = 0.02


class Census:
    """Compares what is known with what exists."""

    def __init__(self, reader: Reader, subjects: Subjects) -> None:
        self._reader = reader
        self._subjects = subjects
        self.synced = asyncio.Event()
        self._strangers: dict[ResourceType, frozenset[str]] = {}
        self.blind: frozenset[ResourceType] = frozenset()
        """Types of which two counts in a row found the same object unknown: kopf's watch brings nothing."""

    async def run(self) -> None:
        """Count until cancelled; ``synced`` is set when the first count found everything known."""
        while True:
            try:
                for kind in PRIMARY_TYPES:
                    await self._count(kind)
                self.synced.set()
                await asyncio.sleep(EVERY)
            except NotFoundError:
                log.warning(
                    "a custom resource definition is missing; install it with the chart or manifests/install",
                    group=GROUP,
                )
                await asyncio.sleep(RETRY)
            except ClusterError as error:
                log.warning("custom resources can't be counted", error=error.message, status=error.status)
                await asyncio.sleep(RETRY)

    async def _count(self, kind: ResourceType) -> None:
        present: dict[str, Object] = {}
        version = "0"
        async for page in self._reader.pages(kind, metadata_only=True):
            present.update({thing["metadata"]["uid"]: thing for thing in page.items})
            version = page.resource_version
        self._subjects.missing(kind, present.keys(), int(version))
        if not self.synced.is_set():
            await self._arrival(kind, present.keys())
        self._watch_the_watch(kind, self._subjects.unknown(kind, present.keys()))

    async def _arrival(self, kind: ResourceType, uids: Set[str]) -> None:
        """Wait until kopf has brought what there is; it does so in any order."""
        while self._subjects.unknown(kind, uids):  # noqa: ASYNC110 -- its thread sets no event of this loop
            await asyncio.sleep(ARRIVAL_POLL)

    def _watch_the_watch(self, kind: ResourceType, unknown: frozenset[str]) -> None:
        before, self._strangers[kind] = self._strangers.get(kind, frozenset()), unknown
        if before & unknown:
            log.error("the watch does not bring what exists", resource=kind.plural, unknown=len(unknown))
            self.blind |= {kind}
        else:
            self.blind -= {kind}
