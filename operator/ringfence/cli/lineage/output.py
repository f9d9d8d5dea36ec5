"""How times are printed."""

from datetime import UTC, datetime


def utc_time(time_ms: int | None) -> str:
    """The time in UTC to the second; a dash where it is not known."""
    if time_ms is None:
        return "-"
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
