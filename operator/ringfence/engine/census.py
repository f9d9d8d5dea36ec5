"""Counts our own custom resources, because the watch that brings them does not say what it missed.

kopf delivers objects, but neither says when its first list is complete, nor notices an object that was deleted while
it was disconnected. A list of metadata once a minute answers both, at a few hundred bytes an object.

Law: nothing is decided before everything that existed at the start is known.
"""

import asyncio
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
        while not self.synced.is_set() and not self._subjects.know(kind, present.keys()):  # noqa: ASYNC110 -- no event
            await asyncio.sleep(ARRIVAL_POLL)  # once at the start; kopf delivers them in any order
