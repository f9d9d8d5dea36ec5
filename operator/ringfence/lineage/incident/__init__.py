"""What a log tells of an incident."""

from ringfence.lineage.incident.scan import known_incidents, scan
from ringfence.lineage.incident.story import Happening, Step, Story, Withdrawal

__all__ = ["Happening", "Step", "Story", "Withdrawal", "known_incidents", "scan"]
