"""The events of a reconcile, as OpenLineage 2-0-2 RunEvents in canonical bytes.

Law: a run that changes something has a START that lists every write before the first one happens, and then exactly
one COMPLETE, FAIL or ABORT. A pass that changes nothing, or was denied, needs no START.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import orjson

from ringfence.lineage import canonical, facets
from ringfence.lineage.entry import Entry, EventType, OpenRun, RetentionClass
from ringfence.lineage.facets import Json
from ringfence.lineage.runs import (
    CheckedWrite,
    Coalesced,
    Operator,
    Outcome,
    PlannedWrite,
    ReconcileRun,
    Result,
    SecretRef,
    Verb,
    WriteOutcome,
)
from ringfence.model.kinds import Ref, ResourceType

DEFAULT_KEEP: Final = timedelta(days=400)
"""How long a body is kept where no RetentionPolicy says more."""

_EVENT_TYPES: Final = {
    Result.APPLIED: EventType.COMPLETE,
    Result.NO_CHANGE: EventType.COMPLETE,
    Result.DENIED: EventType.FAIL,
    Result.FAILED: EventType.FAIL,
}
_CORE_VERSION: Final = re.compile(r"v[0-9]+((alpha|beta)[0-9]+)?")
_MILLISECOND: Final = timedelta(milliseconds=1)


def start(run: ReconcileRun, writes: Sequence[PlannedWrite], *, time_ms: int, keep: timedelta = DEFAULT_KEEP) -> Entry:
    """The record that must be durable before the first of ``writes`` is made."""
    outputs = [_output(run.operator, write.ref, "ringfence_planned", facets.planned_write(write)) for write in writes]
    run_facets = {"ringfence_reconcile": facets.reconcile(run, None)}
    return _reconcile_event(run, EventType.START, run_facets, outputs, time_ms=time_ms, keep=keep)


def finish(
    run: ReconcileRun,
    outcome: Outcome,
    writes: Sequence[WriteOutcome] = (),
    *,
    time_ms: int,
    keep: timedelta = DEFAULT_KEEP,
) -> Entry:
    """The record of how a run ended: COMPLETE, or FAIL where it was denied or failed."""
    outputs = [_output(run.operator, write.ref, "ringfence_applied", facets.applied_write(write)) for write in writes]
    run_facets = {"ringfence_reconcile": facets.reconcile(run, outcome)}
    if outcome.message:
        run_facets["errorMessage"] = facets.error_message(outcome.message)
    return _reconcile_event(run, _EVENT_TYPES[outcome.result], run_facets, outputs, time_ms=time_ms, keep=keep)


def coalesced(run: ReconcileRun, passes: Coalesced, *, time_ms: int, keep: timedelta = DEFAULT_KEEP) -> Entry:
    """The one record of several passes over an object that found everything in place."""
    run_facets = {"ringfence_reconcile": facets.reconcile(run, Outcome(Result.NO_CHANGE), passes)}
    return _reconcile_event(run, EventType.COMPLETE, run_facets, [], time_ms=time_ms, keep=keep)


def abort(
    run: OpenRun, checked: Sequence[CheckedWrite], operator: Operator, *, time_ms: int, keep: timedelta = DEFAULT_KEEP
) -> Entry:
    """The record by which a new leader closes a run that its predecessor left open.

    Everything but the outputs is what the START said; ``operator`` is who looked.
    """
    begun = orjson.loads(run.start)
    outputs = [_output(operator, write.ref, "ringfence_checked", facets.checked_write(write)) for write in checked]
    event = begun | {
        "eventType": EventType.ABORT.value,
        "eventTime": facets.rfc3339(time_ms),
        "outputs": outputs,
    }
    return make_entry(event, time_ms=time_ms, keep=keep)


def planned_writes(start_body: bytes) -> list[PlannedWrite]:
    """What a START lists: all that may have happened if nothing came after it."""
    return [_planned_write(output) for output in orjson.loads(start_body).get("outputs", ())]


def make_entry(
    event: Mapping[str, Any],
    *,
    time_ms: int,
    keep: timedelta,
    retention: RetentionClass = RetentionClass.LINEAGE,
) -> Entry:
    """An event as an entry of a log.

    Raises:
        NotCanonicalError: the event is outside the profile of canonical JSON.
    """
    return Entry(
        run_id=event["run"]["runId"],
        event_type=EventType(event["eventType"]),
        body=canonical.encode(event),
        time_ms=time_ms,
        keep_until_ms=time_ms + keep // _MILLISECOND,
        retention=retention,
    )


def run_event(
    operator: Operator, run_id: str, event_type: EventType, *, job: str, kind: str, run_facets: Json, time_ms: int
) -> Json:
    """The frame that all events share; ``job`` is the job's name, ``kind`` its type."""
    return {
        "eventTime": facets.rfc3339(time_ms),
        "eventType": event_type.value,
        "producer": facets.PRODUCER,
        "schemaURL": f"{facets.OPENLINEAGE}#/$defs/RunEvent",
        "job": {"namespace": _cluster(operator), "name": job, "facets": {"jobType": facets.job_type(kind)}},
        "run": {"runId": run_id, "facets": run_facets},
    }


def _reconcile_event(
    run: ReconcileRun, event_type: EventType, run_facets: Json, outputs: list[Json], *, time_ms: int, keep: timedelta
) -> Entry:
    if run.placed:
        run_facets = {**run_facets, "ringfence_route": facets.route(run.placed)}
    event = run_event(
        run.operator,
        run.run_id,
        event_type,
        job=f"reconcile/{dataset_name(run.subject)}",
        kind="RECONCILE",
        run_facets=run_facets,
        time_ms=time_ms,
    )
    event["inputs"] = [_subject_input(run), *(_secret_input(run, secret) for secret in run.secrets)]
    event["outputs"] = outputs
    return make_entry(event, time_ms=time_ms, keep=keep)


def _subject_input(run: ReconcileRun) -> Json:
    return _dataset(run.operator, run.subject) | {
        "facets": {"version": facets.dataset_version(f"{run.uid}@{run.generation}")},
        "inputFacets": {"ringfence_spec": facets.spec_input(run)},
    }


def _secret_input(run: ReconcileRun, secret: SecretRef) -> Json:
    return {
        "namespace": _cluster(run.operator),
        "name": f"v1/Secret/{secret.namespace}/{secret.name}",
        "inputFacets": {"ringfence_secret": facets.secret_input(secret)},
    }


def _output(operator: Operator, ref: Ref, name: str, facet: Json) -> Json:
    return _dataset(operator, ref) | {"outputFacets": {name: facet}}


def _dataset(operator: Operator, ref: Ref) -> Json:
    return {"namespace": _cluster(operator), "name": dataset_name(ref)}


def _cluster(operator: Operator) -> str:
    return f"k8s://{operator.cluster_uid}"


def dataset_name(ref: Ref) -> str:
    """How an object is called in jobs and datasets: ``ringfence.dev/v1alpha1/Namespace/acme/dev``."""
    return "/".join(part for part in (ref.type.api_version, ref.type.kind, ref.namespace, ref.name) if part)


def _planned_write(output: Json) -> PlannedWrite:
    facet = output["outputFacets"]["ringfence_planned"]
    ref = _parse_dataset_name(output["name"], facet["resource"])
    return PlannedWrite(k=facet["k"], verb=Verb(facet["verb"]), ref=ref, digest=facet.get("contentDigest", ""))


def _parse_dataset_name(name: str, plural: str) -> Ref:
    """The inverse of `dataset_name`; no API group looks like a version, so the parts tell themselves apart."""
    parts = name.split("/")
    group = "" if _CORE_VERSION.fullmatch(parts[0]) else parts.pop(0)
    version, kind, *place = parts
    namespace = place[0] if len(place) > 1 else ""
    return Ref(ResourceType(group, version, plural, kind, namespaced=bool(namespace)), namespace, place[-1])
