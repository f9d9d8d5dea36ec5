"""The record of an hour's usage.

Law: an hour that is recorded twice in the same words is recorded once. When it changed after all, because a replica was
heard late, it is recorded anew, and the last record of an hour is the one that counts.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from ringfence.lineage import canonical, facets
from ringfence.lineage.entry import Entry, EventType, LogId, RetentionClass
from ringfence.lineage.event import make_entry, run_event
from ringfence.lineage.facets import Json
from ringfence.lineage.runs import Operator, make_run_id
from ringfence.usage.outcome import Outcome
from ringfence.usage.report import Dimension, Group, canonical_rows, grouped
from ringfence.usage.tally import HOUR, Row, total

MOST_ROUTES: Final = 256
"""Named in one record, those with the most requests; the digest is over everything."""
_JOB: Final = "usage/UsageRecorded"
_JOB_TYPE: Final = "USAGE"
_BY: Final = (Dimension.NAMESPACE, Dimension.ROUTE)


def rows_digest(rows: Sequence[Row]) -> str:
    """What a record commits to: the digest of all rows of the hour."""
    return canonical.digest(canonical_rows(rows))


def usage_recorded(
    operator: Operator, log: LogId, *, tenant: str, hour: int, rows: Sequence[Row], time_ms: int, keep: timedelta
) -> Entry:
    """An hour, by its first second, was used as ``rows`` say; the body is kept as usage is, not as changes are."""
    digest = rows_digest(rows)
    facet = facets.own(
        "UsageRecordedRunFacet",
        {
            "operator": {"version": operator.version},
            "tenant": tenant,
            "hour": facets.rfc3339(hour * 1000),
            **_totals(rows),
            "routes": _routes(rows),
            "rows": len(rows),
            "rowsDigest": digest,
        },
    )
    event = run_event(
        operator,
        _run_id(log, hour, digest),
        EventType.COMPLETE,
        job=_JOB,
        kind=_JOB_TYPE,
        run_facets={"ringfence_usage": facet},
        time_ms=time_ms,
    )
    event |= {"inputs": [], "outputs": []}
    return make_entry(event, time_ms=time_ms, keep=keep, retention=RetentionClass.GATEWAY_USAGE)


def _run_id(log: LogId, hour: int, digest: str) -> str:
    """The same for the same content, so that a store takes it once, whoever was killed in between."""
    content = hashlib.sha256(f"{log} {hour} {digest}".encode()).digest()
    return make_run_id((hour + HOUR) * 1000, content[:10])


def _totals(rows: Sequence[Row]) -> Json:
    numbers = total(row.numbers for row in rows)
    ended = {group.values[0]: group.numbers.requests for group in grouped(rows, [Dimension.OUTCOME])}
    return {
        "requests": numbers.requests,
        "outcomes": {str(outcome.value): ended[outcome] for outcome in Outcome if outcome in ended},
        "promptTokens": numbers.prompt_tokens,
        "completionTokens": numbers.completion_tokens,
        "totalTokens": numbers.total_tokens,
        "unmetered": numbers.unmetered,
    }


def _routes(rows: Sequence[Row]) -> list[Json]:
    groups = sorted(grouped(rows, _BY), key=lambda group: (-group.numbers.requests, group.values))
    return [_route(group) for group in groups[:MOST_ROUTES]]


def _route(group: Group) -> Json:
    namespace, route = group.values
    named: dict[str, Any] = {"namespace": namespace, "route": route}
    return {key: value for key, value in named.items() if value} | {
        "requests": group.numbers.requests,
        "refused": group.refused,
        "totalTokens": group.numbers.total_tokens,
    }
