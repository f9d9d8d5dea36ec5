"""Publishes the head of every log that grew, once in a while and at the end.

Law: a log that can't be published now stops no other.
"""

import asyncio
from collections.abc import Sequence

import structlog

from ringfence.engine.record import Recorder
from ringfence.lineage.entry import LogId
from ringfence.ports.ledger import Ledger, LedgerError, LedgerUnavailableError
from ringfence.ports.signer import Signer

log = structlog.get_logger(__name__)


class Publisher:
    """Signs checkpoints."""

    def __init__(self, ledger: Ledger, recorder: Recorder, signers: Sequence[Signer], *, every: float) -> None:
        """Take what it publishes and ``every`` how many seconds."""
        self._ledger = ledger
        self._recorder = recorder
        self._signers = signers
        self._every = every

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            await self.publish()

    async def publish(self) -> None:
        """Record the looks that changed nothing, then sign and publish the head of every log that grew."""
        try:
            await self._recorder.tell_unchanged()
            for name in await self._ledger.unpublished():
                await self._publish_log(name)
        except LedgerError as error:
            log.warning("checkpoints not published", error=str(error))

    async def _publish_log(self, name: LogId) -> None:
        try:
            self._recorder.published(await self._ledger.publish_checkpoint(name, self._signers))
        except LedgerUnavailableError as error:
            log.warning("checkpoint not published", log=name, error=str(error))
