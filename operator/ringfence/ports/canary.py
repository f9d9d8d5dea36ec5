"""By whom policies are seen at work.

Law: it asks what the table of probes says, as whom the table says, and judges nothing.
"""

from typing import Protocol

from ringfence.admission.answers import Answer, Probe


class Canary(Protocol):
    """Asks for what policies should refuse."""

    async def ask(self, probe: Probe) -> Answer:
        """The API server's answer; one of status 0 where there was none, or where the canary has no token."""
        ...
