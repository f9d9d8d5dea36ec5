"""Who vouches for the callers of gateways: the API server's issuer and its keys, asked for once a minute.

Law: a key that was published is believed for an hour after it is no more: several API servers do not change at once.
What is not known lets nobody in, and what was known goes on counting while the API server does not answer.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import structlog

from ringfence.gateway.served import Issuer
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import ClusterError, Reader

log = structlog.get_logger(__name__)

EVERY: Final = 60.0
"""Seconds."""
BELIEVED_FOR: Final = 3600.0
"""Seconds since a key was last published."""


class IssuerWatch:
    """Asks, and tells what changed."""

    def __init__(self, reader: Reader, clock: Clock, tell: Callable[[Issuer], None]) -> None:
        self._reader = reader
        self._clock = clock
        self._tell = tell
        self._keys: dict[bytes, tuple[Mapping[str, Any], float]] = {}
        self._url = ""
        self.asked = asyncio.Event()
        """Set once the API server was asked, whatever it answered."""

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            try:
                self.note(await self._reader.issuer())
            except ClusterError as error:
                log.warning("the issuer of tokens is not known; it is asked for again", error=error.message)
            self.asked.set()
            await asyncio.sleep(EVERY)

    def note(self, found: Issuer) -> None:
        """Add what is published to what was."""
        if found.url != self._url:
            self._url, self._keys = found.url, {}
        now = self._clock.monotonic()
        keys = orjson.loads(found.jwks)["keys"]
        published = {orjson.dumps(key, option=orjson.OPT_SORT_KEYS): (key, now) for key in keys}
        believed = {name: known for name, known in self._keys.items() if now - known[1] <= BELIEVED_FOR}
        self._keys = believed | published
        known = [self._keys[name][0] for name in sorted(self._keys)]
        self._tell(Issuer(found.url, orjson.dumps({"keys": known}, option=orjson.OPT_SORT_KEYS).decode()))
