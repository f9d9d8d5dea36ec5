"""Whether the process is alive, and whether it is of use.

Laws: alive is who still goes round the loop; ready is who knows everything and moves on with its work. Standing by is
both, and says so.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ringfence.plan.enforcement import in_words
from ringfence.ports.clock import Clock

STANDSTILL: Final = 60.0
"""Seconds without a finished look while others wait, after which the loop is taken to stand still."""
SILENCE: Final = 10.0
"""Seconds without a heartbeat of the loop."""


class Role(StrEnum):
    """What this process does."""

    STARTING = "starting"
    STANDBY = "standby"
    LEADER = "leader"
    STOPPING = "stopping"


@dataclass(slots=True)
class Health:
    """What probes ask for."""

    clock: Clock
    role: Role = Role.STARTING
    unsynced: tuple[str, ...] = ("everything",)
    """What is not known yet."""
    silent: tuple[str, ...] = ()
    """Admission policies that do not refuse what they should."""
    waiting: int = 0
    """Objects in the queue, as of the last heartbeat."""
    beat_at: float = field(default=0.0)
    moved_at: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.beat_at = self.moved_at = self.clock.monotonic()

    def beat(self, *, waiting: int) -> None:
        """Note that the loop goes round."""
        self.beat_at = self.clock.monotonic()
        if not waiting:
            self.moved_at = self.beat_at
        self.waiting = waiting

    def moved(self) -> None:
        """Note that a look at an object ended."""
        self.moved_at = self.clock.monotonic()

    def alive(self) -> tuple[bool, str]:
        """Return whether the process should go on, and in a word why."""
        silence = self.clock.monotonic() - self.beat_at
        return (True, self.role.value) if silence < SILENCE else (False, f"no heartbeat for {silence:.0f} s")

    def ready(self) -> tuple[bool, str]:
        """Return whether the process does its work, and in a word why not."""
        alive, why = self.alive()
        if not alive:
            return False, why
        if self.unsynced:
            return False, f"not synced: {', '.join(self.unsynced)}"
        standstill = self.clock.monotonic() - self.moved_at
        if self.role is Role.LEADER and standstill > STANDSTILL:
            return False, f"{self.waiting} objects wait and none was finished for {standstill:.0f} s"
        if self.role is Role.LEADER and self.silent:
            return False, f"nothing new is opened: {in_words(self.silent)}"
        return self.role in (Role.LEADER, Role.STANDBY), self.role.value
