"""The events of the platform log: what happened to the operator itself, or to nobody's tenant.

Law: each of them is one COMPLETE event of its own run, since nothing in the cluster changes by it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from ringfence.lineage import facets
from ringfence.lineage.entry import Entry, EventType
from ringfence.lineage.event import DEFAULT_KEEP, make_entry, run_event
from ringfence.lineage.facets import Json
from ringfence.lineage.runs import Operator
from ringfence.model.kinds import Ref

_JOB_TYPE: Final = "PLATFORM"


def operator_started(
    operator: Operator,
    *,
    run_id: str,
    time_ms: int,
    configuration_digest: str,
    policy_set_digest: str,
    image: str = "",
    keep: timedelta = DEFAULT_KEEP,
) -> Entry:
    """An operator of this version began, with these settings, and found these admission policies."""
    facet = facets.own(
        "OperatorStartedRunFacet",
        {
            "operator": {"version": operator.version},
            "image": image,
            "configurationDigest": configuration_digest,
            "policySetDigest": policy_set_digest,
        },
    )
    return _event(
        operator, run_id, "OperatorStarted", {"ringfence_operator_started": facet}, time_ms=time_ms, keep=keep
    )


def key_rotated(
    operator: Operator,
    *,
    run_id: str,
    time_ms: int,
    old_key: bytes,
    new_key: bytes,
    keep: timedelta = DEFAULT_KEEP,
) -> Entry:
    """Checkpoints are signed by another key from here on; both are raw Ed25519 public keys."""
    fields = {"operator": {"version": operator.version}, "oldKey": old_key.hex(), "newKey": new_key.hex()}
    facet = facets.own("KeyRotatedRunFacet", fields)
    return _event(operator, run_id, "KeyRotated", {"ringfence_key_rotated": facet}, time_ms=time_ms, keep=keep)


def policies_found(
    operator: Operator,
    *,
    run_id: str,
    time_ms: int,
    state: str,
    silent: Sequence[str],
    drifted: Sequence[str],
    keep: timedelta = DEFAULT_KEEP,
) -> Entry:
    """Admission policies were found otherwise than before: which do not refuse, and which are not as shipped.

    ``state`` is ``InForce``, ``Drifted`` or ``Inactive``.
    """
    fields = {
        "operator": {"version": operator.version},
        "state": state,
        "silent": [facets.bounded(each) for each in silent],
        "drifted": [facets.bounded(each) for each in drifted],
    }
    facet = facets.own("PoliciesRunFacet", fields)
    return _event(operator, run_id, "PoliciesFound", {"ringfence_policies": facet}, time_ms=time_ms, keep=keep)


def name_taken(
    operator: Operator,
    *,
    run_id: str,
    time_ms: int,
    namespace: str,
    claimant: Ref,
    claimant_uid: str,
    holder_uid: str = "",
    keep: timedelta = DEFAULT_KEEP,
) -> Entry:
    """``claimant`` was refused a core namespace that exists and is not its own.

    ``holder_uid`` is the owner's uid that the namespace bears, where it is another tenant's.
    """
    claimed_by = {
        "kind": claimant.type.kind,
        "name": claimant.name,
        "uid": claimant_uid,
    } | ({"namespace": claimant.namespace} if claimant.namespace else {})
    fields = {
        "operator": {"version": operator.version},
        "namespace": namespace,
        "claimedBy": claimed_by,
        "heldBy": holder_uid,
    }
    facet = facets.own("NameTakenRunFacet", fields)
    return _event(operator, run_id, "NameTaken", {"ringfence_name_taken": facet}, time_ms=time_ms, keep=keep)


def _event(operator: Operator, run_id: str, name: str, run_facets: Json, *, time_ms: int, keep: timedelta) -> Entry:
    job = f"platform/{name}"
    event = run_event(
        operator, run_id, EventType.COMPLETE, job=job, kind=_JOB_TYPE, run_facets=run_facets, time_ms=time_ms
    )
    return make_entry(event | {"inputs": [], "outputs": []}, time_ms=time_ms, keep=keep)
