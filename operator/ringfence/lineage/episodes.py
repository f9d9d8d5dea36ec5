"""The events of an episode: START when a quarantine, a pause or a broken glass begins, COMPLETE when it is over.

Law: the record itself knows which of them last: those are its open runs. Whoever takes the record up after a crash
goes on from there, so that each beginning and each end is told once.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import orjson

from ringfence.lineage import facets
from ringfence.lineage.entry import Entry, EventType, LogId, OpenRun
from ringfence.lineage.event import DEFAULT_KEEP, dataset_name, make_entry, run_event
from ringfence.lineage.facets import Json
from ringfence.lineage.runs import Actor, Operator
from ringfence.model.kinds import CHILD_TYPES, CORE_NAMESPACE, PRIMARY_TYPES, Ref, ResourceType
from ringfence.plan.episode import Ending, Episode, EpisodeKind

FACET: Final = "ringfence_episode"
_JOB_TYPE: Final = "EPISODE"
_TYPES: Final = {(kind.api_version, kind.kind): kind for kind in (*PRIMARY_TYPES, CORE_NAMESPACE, *CHILD_TYPES)}


@dataclass(frozen=True, slots=True)
class Lasting:
    """An episode that began on record and is not over."""

    log: LogId
    run_id: str
    episode: Episode
    tenant: str = ""
    namespace: str = ""
    """The Namespace object concerned; empty for what concerns the whole tenant."""
    actor: Actor = field(default_factory=Actor)
    """Who began it."""
    late: bool = False
    """It had begun before the operator that records it did."""


@dataclass(frozen=True, slots=True)
class End:
    """How an episode ended."""

    how: Ending
    at_ms: int | None = None
    """When, in milliseconds since 1970, where it is known better than by the time of the record."""
    actor: Actor = field(default_factory=Actor)
    confirmed_by: str = ""
    late: bool = False


def begun(lasting: Lasting, operator: Operator, *, time_ms: int, keep: timedelta = DEFAULT_KEEP) -> Entry:
    """The record that an episode begins."""
    return _event(lasting, EventType.START, None, operator, time_ms=time_ms, keep=keep)


def over(lasting: Lasting, end: End, operator: Operator, *, time_ms: int, keep: timedelta = DEFAULT_KEEP) -> Entry:
    """The record that it is over."""
    return _event(lasting, EventType.COMPLETE, end, operator, time_ms=time_ms, keep=keep)


def lasting_of(run: OpenRun) -> Lasting | None:
    """The episode that an open run is; None for a run of another sort."""
    facet: Json | None = orjson.loads(run.start)["run"]["facets"].get(FACET)
    return replace(read(facet), log=run.log, run_id=run.run_id) if facet else None


def read(facet: Json) -> Lasting:
    """What the facet of an episode says of its beginning."""
    thing, actor = facet["object"], facet.get("actor", {})
    episode = Episode(
        EpisodeKind(facet["kind"]),
        _ref(thing),
        thing["uid"],
        reason=facet.get("reason", ""),
        incident=facet.get("incident", ""),
        until=facet.get("until", ""),
    )
    return Lasting(
        "",
        "",
        episode,
        tenant=facet.get("tenant", ""),
        namespace=facet.get("namespace", ""),
        actor=Actor(actor.get("requestedBy", ""), tuple(actor.get("managers", ()))),
        late=facet.get("late", False),
    )


def _event(
    lasting: Lasting, kind: EventType, end: End | None, operator: Operator, *, time_ms: int, keep: timedelta
) -> Entry:
    episode = lasting.episode
    job = f"episode/{episode.kind}/{dataset_name(episode.subject)}"
    run_facets = {FACET: _facet(lasting, end, operator)}
    event = run_event(operator, lasting.run_id, kind, job=job, kind=_JOB_TYPE, run_facets=run_facets, time_ms=time_ms)
    return make_entry(event | {"inputs": [], "outputs": []}, time_ms=time_ms, keep=keep)


def _facet(lasting: Lasting, end: End | None, operator: Operator) -> Json:
    episode = lasting.episode
    return facets.own(
        "EpisodeRunFacet",
        {
            "kind": episode.kind.value,
            "tenant": lasting.tenant,
            "namespace": lasting.namespace,
            "object": _object(episode),
            "incident": episode.incident,
            "reason": facets.bounded(episode.reason),
            "until": episode.until,
            "actor": facets.actor(lasting.actor),
            "operator": {"version": operator.version},
            "late": lasting.late or None,
            "end": _end(end) if end else None,
        },
    )


def _object(episode: Episode) -> Json:
    ref = episode.subject
    place = {"namespace": ref.namespace} if ref.namespace else {}
    return {"apiVersion": ref.type.api_version, "kind": ref.type.kind, **place, "name": ref.name, "uid": episode.uid}


def _ref(thing: Json) -> Ref:
    """The object; of a kind that only another release knows, as much as can be said."""
    kind = _TYPES.get((thing["apiVersion"], thing["kind"]))
    if kind is None:
        group, _, version = thing["apiVersion"].rpartition("/")
        kind = ResourceType(group, version, "", thing["kind"], namespaced="namespace" in thing)
    return Ref(kind, thing.get("namespace", ""), thing["name"])


def _end(end: End) -> Json:
    fields: dict[str, Any] = {
        "how": end.how.value,
        "at": facets.rfc3339(end.at_ms) if end.at_ms is not None else None,
        "actor": facets.actor(end.actor),
        "confirmedBy": end.confirmed_by,
        "late": end.late or None,
    }
    return {name: value for name, value in fields.items() if value not in (None, "", {})}
