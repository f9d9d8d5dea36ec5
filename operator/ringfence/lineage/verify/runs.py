"""The life of each run, as its events tell it.

Law: what changed something was announced by a START, and what was announced ends once.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from ringfence.lineage.entry import EventType, LogId
from ringfence.lineage.verify.findings import Finding, FindingKind


@dataclass(slots=True)
class Runs:
    """Follows each run: what changed something was announced, and what was announced ends once."""

    log: LogId
    findings: list[Finding]
    complete: bool = True
    """Whether every event so far was seen; where one was not, it may have been the START that is looked for."""
    open: set[str] = field(default_factory=set)
    _started: set[str] = field(default_factory=set)
    _ended: set[str] = field(default_factory=set)

    def add(self, index: int, body: bytes) -> None:
        """Take the next event."""
        try:
            event = orjson.loads(body)
            run, kind = str(event["run"]["runId"]), EventType(event["eventType"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            self._find(FindingKind.NOT_AN_EVENT, index, "its body is no event of ours")
            return
        if kind == EventType.START:
            self._started.add(run)
            self.open.add(run)
        else:
            self._end(index, run, event)

    def _end(self, index: int, run: str, event: dict[str, Any]) -> None:
        if run in self._ended:
            self._find(FindingKind.RUN_ENDED_TWICE, index, f"run {run} had an outcome already")
        elif self.complete and run not in self._started and _changed(event):
            self._find(FindingKind.RUN_WITHOUT_START, index, f"run {run} changed objects and has no START before")
        self._ended.add(run)
        self.open.discard(run)

    def _find(self, kind: FindingKind, index: int, message: str) -> None:
        self.findings.append(Finding(kind, self.log, f"leaf {index}: {message}", index))


def _changed(event: dict[str, Any]) -> bool:
    """Whether the event tells of changes that a START must have announced; deferred ones could not have one."""
    reconcile = event["run"].get("facets", {}).get("ringfence_reconcile", {})
    return bool(reconcile.get("outcome", {}).get("changed")) and not reconcile.get("deferred")
