"""Collectors over HTTPS, each known by its gateway's certificate."""

from typing import Final

from ringfence.adapters.pods import PodError, conversation
from ringfence.ports.usage import CollectorError, Replica, Trust

PATH: Final = "/usage"
_OK: Final = 200


class HttpCollectors:
    """Implements `ringfence.ports.usage.Collectors`."""

    async def page(self, replica: Replica, trust: Trust, after: str) -> bytes:
        """See `ringfence.ports.usage.Collectors.page`."""
        try:
            async with conversation(replica.address, trust) as pod:
                answer = await pod.ask("GET", replica.port, PATH, query={"after": after})
        except PodError as error:
            raise CollectorError(str(error)) from error
        if answer.status != _OK:
            raise CollectorError(f"{replica.address}: it answers {answer.status}")
        return answer.body
