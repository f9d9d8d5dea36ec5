"""Kubernetes Events on transitions, for whoever types ``kubectl describe``.

Law: an Event is a courtesy. It never delays, repeats or fails anything; when there are too many, some are dropped.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import structlog

from ringfence import names
from ringfence.engine.budget import Budget
from ringfence.engine.metrics import Metrics
from ringfence.model.kinds import EVENT
from ringfence.plan.reasons import ConditionType
from ringfence.plan.seen import AnySubject
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import ClusterError, Object, Writer

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 1000
PER_SECOND: Final = 10.0
BURST: Final = 50
NOTE_LIMIT: Final = 1024  # bytes, by the API
# Conditions whose bad state is True; for all others it is False.
ALARMS: Final = frozenset(
    {
        ConditionType.STALLED,
        ConditionType.BUDGET_EXCEEDED,
        ConditionType.PAUSED,
        ConditionType.ACCESS_REVIEW_DUE,
        ConditionType.ROTATION_DUE,
        ConditionType.EXCEPTION_EXPIRED,
    }
)
SILENT: Final = frozenset({ConditionType.RECONCILING, ConditionType.STALLED})
"""They repeat what Ready says."""


class Events:
    """Posts Events in the background."""

    def __init__(self, writer: Writer, clock: Clock, *, identity: str, metrics: Metrics) -> None:
        self._writer = writer
        self._clock = clock
        self._identity = identity
        self._metrics = metrics
        self._waiting: asyncio.Queue[Object] = asyncio.Queue(MOST_WAITING)
        self._budget = Budget(per_second=PER_SECOND, burst=BURST, in_flight=2)

    def post(self, subject: AnySubject, *, reason: str, note: str, warning: bool = False) -> None:
        """Queue one Event, or drop it."""
        try:
            self._waiting.put_nowait(self._event(subject, reason, note, warning=warning))
        except asyncio.QueueFull:
            self._metrics.posted("dropped")

    def transitions(self, subject: AnySubject, conditions: Sequence[Mapping[str, Any]]) -> None:
        """Queue an Event for every condition that became something else."""
        for condition in news(subject.status.get("conditions") or (), conditions):
            alarm = "True" if condition["type"] in ALARMS else "False"
            self.post(
                subject,
                reason=condition["reason"],
                note=f"{condition['type']}={condition['status']}: {condition.get('message', '')}",
                warning=condition["status"] == alarm,
            )

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            event = await self._waiting.get()
            try:
                async with self._budget.spend():
                    await self._writer.create_event(event)
            except ClusterError as error:
                self._metrics.posted("refused")
                log.debug("event not posted", error=error.message)
            else:
                self._metrics.posted("posted")

    def _event(self, subject: AnySubject, reason: str, note: str, *, warning: bool) -> Object:
        ref = subject.ref
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            # Events about cluster-scoped objects live in `default`: the API server takes them nowhere else.
            "metadata": {"generateName": f"{ref.name[:40]}-", "namespace": ref.namespace or "default"},
            "eventTime": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": names.FIELD_MANAGER,
            "reportingInstance": self._identity[:128],
            "action": "Reconcile",
            "reason": reason,
            "type": "Warning" if warning else "Normal",
            "note": note.encode()[:NOTE_LIMIT].decode(errors="ignore"),
            "regarding": {
                "apiVersion": ref.type.api_version,
                "kind": ref.type.kind,
                "name": ref.name,
                "namespace": ref.namespace,
                "uid": subject.meta.uid,
                "resourceVersion": subject.meta.resource_version,
            },
        }


def news(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the conditions whose status or reason changed; of those that are new, Ready and the bad ones."""
    known = {condition["type"]: (condition["status"], condition["reason"]) for condition in before}
    for condition in after:
        kind, state = condition["type"], (condition["status"], condition["reason"])
        if kind in SILENT or known.get(kind) == state:
            continue
        bad = condition["status"] == ("True" if kind in ALARMS else "False")
        if kind in known or kind == ConditionType.READY or bad:
            yield condition
