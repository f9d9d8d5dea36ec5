"""A record in one line, for people.

Law: what can't be read is said to be so; a summary never fails on a record that a verifier would name.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from ringfence.lineage.entry import EventType, Record
from ringfence.lineage.leaf import decode_leaf

_RECONCILE: Final = "reconcile/ringfence.dev/v1alpha1/"
_PLATFORM: Final = "platform/"
_USAGE: Final = "ringfence_usage"
_PLATFORM_FACETS: Final = ("ringfence_operator_started", "ringfence_key_rotated", "ringfence_name_taken")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a table shows of one record; what is not known is empty."""

    index: int
    time_ms: int | None
    event: str
    run_id: str = ""
    tenant: str = ""
    object: str = ""
    trigger: str = ""
    result: str = ""
    changed: str = ""


def summarize(record: Record) -> Summary:
    """The record's line."""
    time_ms = _time_ms(record.leaf)
    event = read_event(record)
    if event is None:
        return Summary(record.index, time_ms, "unreadable" if record.body else "body gone")
    facets = event["run"].get("facets", {})
    if "ringfence_episode" in facets:
        return _of_episode(record.index, time_ms, event, facets["ringfence_episode"])
    if _USAGE in facets:
        return _of_usage(record.index, time_ms, event, facets[_USAGE])
    reconcile = facets.get("ringfence_reconcile", {})
    outcome = reconcile.get("outcome", {})
    return Summary(
        index=record.index,
        time_ms=time_ms,
        event=str(event.get("eventType", "")),
        run_id=str(event["run"].get("runId", "")),
        tenant=str(reconcile.get("tenant", "")),
        object=_object(event, facets),
        trigger=str(reconcile.get("trigger", "")),
        result=_result(event, reconcile, outcome),
        changed=_changed(event, outcome),
    )


def _of_episode(index: int, time_ms: int | None, event: dict[str, Any], facet: dict[str, Any]) -> Summary:
    thing = facet.get("object", {})
    place = "/".join(str(thing[part]) for part in ("kind", "namespace", "name") if part in thing)
    end = facet.get("end", {})
    return Summary(
        index=index,
        time_ms=time_ms,
        event=str(event.get("eventType", "")),
        run_id=str(event["run"].get("runId", "")),
        tenant=str(facet.get("tenant", "")),
        object=f"{facet.get('kind', '')} {place}",
        result=f"{end.get('how', 'Begun')}{' (late)' if (end or facet).get('late') else ''}",
    )


def _of_usage(index: int, time_ms: int | None, event: dict[str, Any], facet: dict[str, Any]) -> Summary:
    return Summary(
        index=index,
        time_ms=time_ms,
        event=str(event.get("eventType", "")),
        run_id=str(event["run"].get("runId", "")),
        tenant=str(facet.get("tenant", "")),
        object=f"UsageRecorded {facet.get('hour', '')}",
        result=f"{facet.get('requests', 0)} requests, {facet.get('totalTokens', 0)} tokens",
    )


def read_event(record: Record) -> dict[str, Any] | None:
    """The record's event; ``None`` where its body is gone or is no event."""
    try:
        event = orjson.loads(record.body or b"")
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("run"), dict) else None


def _time_ms(leaf: bytes | None) -> int | None:
    try:
        return decode_leaf(leaf or b"").time_ms
    except ValueError:
        return None


def _object(event: dict[str, Any], facets: dict[str, Any]) -> str:
    """``Namespace/acme/dev`` for a reconcile; the event's own name and detail for the platform."""
    job = str(event.get("job", {}).get("name", ""))
    if not job.startswith(_PLATFORM):
        return job.removeprefix(_RECONCILE)
    facet: dict[str, Any] = next((facets[name] for name in _PLATFORM_FACETS if name in facets), {})
    detail = facet.get("namespace") or facet.get("operator", {}).get("version", "")
    return f"{job.removeprefix(_PLATFORM)} {detail}".strip()


def _result(event: dict[str, Any], reconcile: dict[str, Any], outcome: dict[str, Any]) -> str:
    if passes := reconcile.get("coalesced", {}).get("count"):
        return f"{outcome.get('result', '')} x{passes}"
    if event.get("eventType") == EventType.ABORT:
        return "Aborted"
    reason = outcome.get("reason", "")
    result = str(outcome.get("result", ""))
    return f"{result} ({reason})" if reason and result in ("Denied", "Failed") else result


def _changed(event: dict[str, Any], outcome: dict[str, Any]) -> str:
    if event.get("eventType") == EventType.START:
        return f"{len(event.get('outputs', ()))} planned"
    return str(outcome.get("changed", ""))
