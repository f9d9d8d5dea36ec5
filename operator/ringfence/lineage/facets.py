"""The facets of our events: OpenLineage's own where there is one, else ours, whose names begin with ``ringfence_``.

Law: each facet names the schema that it obeys, ours are in ``schemas/`` and refuse fields that they do not know.
A field that is not known is left out; nothing is written as an empty string or null.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from ringfence.lineage.runs import (
    Actor,
    CheckedWrite,
    Coalesced,
    Outcome,
    PlannedWrite,
    ReconcileRun,
    SecretRef,
    WriteOutcome,
)
from ringfence.plan.plan import Placed

Json: TypeAlias = dict[str, Any]

PRODUCER: Final = "https://ringfence.dev/operator"
SCHEMA_BASE: Final = "https://ringfence.dev/schemas/lineage/1-0-0"
OPENLINEAGE: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
_OPENLINEAGE_FACETS: Final = "https://openlineage.io/spec/facets"

MAX_MESSAGE: Final = 1024
"""Characters of free text; what the API server says beyond is cut."""
MAX_POINTERS: Final = 256
"""Changed fields listed for one write; a pointer ``/…`` says that there were more."""
MAX_MANAGERS: Final = 64
"""Field managers listed, the most recent ones: who applies may call himself something else each time."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(time_ms: int) -> str:
    """The time as OpenLineage writes it, in UTC with milliseconds."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def own(name: str, fields: Mapping[str, Any]) -> Json:
    """A facet of ours; fields that are empty are left out."""
    return {"_producer": PRODUCER, "_schemaURL": f"{SCHEMA_BASE}/{name}.json#/$defs/{name}"} | _known(fields)


def job_type(kind: str) -> Json:
    """OpenLineage's jobType: finite runs, made by Kubernetes, of our kind."""
    fields = {"processingType": "BATCH", "integration": "KUBERNETES", "jobType": kind}
    return _openlineage("2-0-4", "JobTypeJobFacet", fields)


def dataset_version(version: str) -> Json:
    """OpenLineage's version of a dataset."""
    return _openlineage("1-0-1", "DatasetVersionDatasetFacet", {"datasetVersion": version})


def error_message(message: str) -> Json:
    """OpenLineage's errorMessage, cut to its bound."""
    fields = {"message": bounded(message), "programmingLanguage": "PYTHON"}
    return _openlineage("1-0-1", "ErrorMessageRunFacet", fields)


def reconcile(run: ReconcileRun, outcome: Outcome | None, coalesced: Coalesced | None = None) -> Json:
    """``ringfence_reconcile``: whose reconcile, why, by whom, and how it ended if it has."""
    fields = {
        "tenant": run.tenant,
        "namespace": run.namespace,
        "environment": run.environment,
        "region": run.region,
        "trigger": run.trigger.value,
        "generation": run.generation,
        "attempt": run.attempt,
        "actor": actor(run.actor),
        "operator": {"version": run.operator.version},
        "outcome": _outcome(outcome) if outcome else None,
        "controls": list(run.controls),
        "incidents": list(run.incidents),
        "configuration": _configuration(run.configuration),
        "coalesced": _coalesced(coalesced) if coalesced else None,
        "deferred": run.deferred or None,
    }
    return own("ReconcileRunFacet", fields)


def route(placed: Sequence[Placed]) -> Json:
    """``ringfence_route``: what each environment serves of a ModelRoute, and by whose word."""
    return own("RouteRunFacet", {"environments": [_placed(each) for each in placed]})


def spec_input(run: ReconcileRun) -> Json:
    """``ringfence_spec``: which state of the custom resource was read."""
    return own("SpecInputDatasetFacet", {"uid": run.uid, "generation": run.generation, "specDigest": run.spec_digest})


def secret_input(secret: SecretRef) -> Json:
    """``ringfence_secret``: which keys of a Secret are referred to."""
    return own("SecretInputDatasetFacet", {"keys": list(secret.keys)})


def planned_write(write: PlannedWrite) -> Json:
    """``ringfence_planned``: a write that may happen from now on."""
    return own("PlannedOutputDatasetFacet", _write(write) | {"contentDigest": write.digest})


def applied_write(write: WriteOutcome) -> Json:
    """``ringfence_applied``: a write that was tried, and what came of it."""
    fields = {
        "contentDigest": write.digest,
        "resourceVersion": write.resource_version,
        "changed": write.changed,
        "pointers": _bounded_pointers(write.pointers),
        "error": bounded(write.error),
    }
    return own("AppliedOutputDatasetFacet", _write(write) | fields)


def checked_write(write: CheckedWrite) -> Json:
    """``ringfence_checked``: what a new leader found of a planned write."""
    fields = {"found": write.found.value, "resourceVersion": write.resource_version}
    return own("CheckedOutputDatasetFacet", _write(write) | fields)


def actor(who: Actor) -> Json:
    """Who is behind something; empty where nobody is known."""
    return _known({"requestedBy": who.requested_by, "managers": list(who.managers[-MAX_MANAGERS:])})


def bounded(text: str) -> str:
    """Cut free text to its bound; lone surrogates, which have no UTF-8, become question marks."""
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def _placed(placed: Placed) -> Json:
    by = {"promotedBy": bounded(placed.promoted_by), "approvedBy": bounded(placed.approved_by)}
    return {"name": placed.environment, "revision": placed.revision} | _known(by)


def _write(write: PlannedWrite | WriteOutcome | CheckedWrite) -> Json:
    """By which the API server's audit log is joined: the number in the run, the verb, the resource."""
    return {"k": write.k, "verb": write.verb.value, "resource": write.ref.type.plural}


def _configuration(change: tuple[str, str]) -> Json:
    """Empty where the gateway's configuration stays as it is."""
    before, after = change
    return _known({"before": before, "after": after}) if after != before else {}


def _outcome(outcome: Outcome) -> Json:
    return {
        "result": outcome.result.value,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "durationMs": outcome.duration_ms,
    } | _known({"reason": outcome.reason})


def _coalesced(coalesced: Coalesced) -> Json:
    return {"count": coalesced.count, "first": rfc3339(coalesced.first_ms), "last": rfc3339(coalesced.last_ms)}


def _bounded_pointers(pointers: Iterable[str]) -> list[str]:
    listed = list(pointers)
    return listed if len(listed) <= MAX_POINTERS else [*listed[: MAX_POINTERS - 1], "/…"]


def _openlineage(version: str, name: str, fields: Json) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": f"{_OPENLINEAGE_FACETS}/{version}/{name}.json#/$defs/{name}"} | fields


def _known(fields: Mapping[str, Any]) -> Json:
    return {key: value for key, value in fields.items() if value not in (None, "", [], {})}
