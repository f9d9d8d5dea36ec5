"""The system's clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements ``ringfence.ports.clock.Clock``."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()
