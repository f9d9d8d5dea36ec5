"""Tells users how their object is: one status patch where it differs, one Event a transition.

Law: reporting what has not changed costs nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from ringfence.engine.budget import Budget
from ringfence.engine.events import Events
from ringfence.engine.queue import lane
from ringfence.plan.conditions import status_patch
from ringfence.plan.plan import Plan
from ringfence.plan.seen import AnySubject
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import ConflictError, NotFoundError, Object, Writer

log = structlog.get_logger(__name__)


class Reporter:
    """Writes status."""

    def __init__(
        self, writer: Writer, events: Events, clock: Clock, budget: Budget, own_answer: Callable[[Object], None]
    ) -> None:
        self._writer = writer
        self._events = events
        self._clock = clock
        self._budget = budget
        self._own_answer = own_answer

    async def report(self, subject: AnySubject, plan: Plan, besides: Mapping[str, Any]) -> None:
        """Write the status that the plan asks for, if it differs from the one that was seen; then ``besides`` too."""
        status = status_patch(subject, plan, self._clock.now(), besides)
        if status is None:
            return
        try:
            async with self._budget.spend(lane(subject.ref)):
                answer = await self._writer.patch_status(subject.ref, status, uid=subject.meta.uid)
        except (NotFoundError, ConflictError):
            return  # the object is gone, or a namesake took its place: the watch will say so
        log.debug("status written", object=str(subject.ref), fields=sorted(status))
        self._own_answer(answer)
        self._events.transitions(subject, status.get("conditions") or ())
