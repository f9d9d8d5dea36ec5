"""Closes the runs that a predecessor left open, before anything new begins.

Law: of a write that may have happened, the record says found, not found or unknown; never what seems likely.
"""

from datetime import datetime
from typing import Final

import orjson
import structlog

from ringfence.engine.cache import Cache
from ringfence.engine.planning import Planner
from ringfence.engine.writes import finalizers_patch, withdrawal_patch
from ringfence.lineage import event
from ringfence.lineage.canonical import object_digest
from ringfence.lineage.entry import OpenRun
from ringfence.lineage.episodes import lasting_of
from ringfence.lineage.runs import CheckedWrite, Found, Operator, PlannedWrite, Verb, make_run_id
from ringfence.model.kinds import PRIMARY_TYPES, SECRET, Ref
from ringfence.plan.confirmations import CONFIRMATIONS, Confirmation
from ringfence.plan.difference import difference, removals
from ringfence.plan.plan import Manifest
from ringfence.ports.clock import Clock
from ringfence.ports.ledger import Ledger, LedgerUnavailableError

log = structlog.get_logger(__name__)

TYPES: Final = {(kind.api_version, kind.kind): kind for kind in PRIMARY_TYPES}


class Closer:
    """Judges what became of planned writes by what is there now."""

    def __init__(self, ledger: Ledger, planner: Planner, cache: Cache, clock: Clock) -> None:
        self._ledger = ledger
        self._planner = planner
        self._cache = cache
        self._clock = clock

    async def close_runs(self, operator: Operator, *, before: str) -> int:
        """Append an ABORT to every open run whose id is below ``before``; answers how many there were.

        Episodes are open for as long as they last; they are not runs that somebody was killed in.
        """
        runs = [run for run in await self._ledger.open_runs() if run.run_id < before and lasting_of(run) is None]
        for run in runs:
            desired = await self._desired(subject_of(run))
            checked = [self._check(write, desired.get(write.ref)) for write in event.planned_writes(run.start)]
            entry = event.abort(run, checked, operator, time_ms=int(self._clock.now().timestamp() * 1000))
            try:
                await self._ledger.append(run.log, (entry,))
            except LedgerUnavailableError as error:
                log.warning("an open run stays open", log=run.log, run=run.run_id, error=str(error))
        return len(runs)

    async def _desired(self, subject: Ref | None) -> dict[Ref, Manifest]:
        planned = await self._planner.plan(subject) if subject else None
        if planned is None:
            return {}
        return {desired.ref: desired.manifest for stage in planned[1].stages for desired in stage.apply}

    def _check(self, write: PlannedWrite, manifest: Manifest | None) -> CheckedWrite:
        found, version = JUDGES[write.verb](self, write, manifest)
        return CheckedWrite(write.k, write.verb, write.ref, found, version)

    def _applied(self, write: PlannedWrite, manifest: Manifest | None) -> tuple[Found, str]:
        child = self._cache.child(write.ref)
        if child is None:  # Secrets are never looked at
            return (Found.UNKNOWN if write.ref.type == SECRET else Found.NOT_FOUND), ""
        if manifest is None or object_digest(manifest) != write.digest:
            return Found.UNKNOWN, ""  # something else is wanted by now, so nothing tells how it was
        differs = difference(manifest, orjson.loads(child.content))
        return (Found.NOT_FOUND, "") if differs else (Found.FOUND, str(child.version))

    def _patched(self, write: PlannedWrite, manifest: Manifest | None) -> tuple[Found, str]:
        """Judge a patch of finalizers or confirmations, or one that took away what somebody had added."""
        confirmation = next((each for each in CONFIRMATIONS if _takes_off(each) == write.digest), None)
        return self._withdrawn(write.ref, confirmation) if confirmation else self._mended(write, manifest)

    def _mended(self, write: PlannedWrite, manifest: Manifest | None) -> tuple[Found, str]:
        finalizers, version = self._finalizers(write.ref)
        if finalizers is None:
            return Found.UNKNOWN, ""
        if object_digest(finalizers_patch(finalizers)) == write.digest:
            return Found.FOUND, version
        if write.ref.type in PRIMARY_TYPES:
            return Found.NOT_FOUND, ""
        child = self._cache.child(write.ref)
        if child is None or manifest is None:
            return Found.UNKNOWN, ""
        added = removals(manifest, orjson.loads(child.content))
        if not added:
            return Found.FOUND, version
        return (Found.NOT_FOUND if object_digest(added) == write.digest else Found.UNKNOWN), ""

    def _withdrawn(self, ref: Ref, confirmation: Confirmation) -> tuple[Found, str]:
        subject = self._cache.subject(ref)
        if subject is None:
            return Found.UNKNOWN, ""
        stands = confirmation.wish in subject.meta.annotations
        return (Found.NOT_FOUND, "") if stands else (Found.FOUND, subject.meta.resource_version)

    def _deleted(self, write: PlannedWrite, _: Manifest | None) -> tuple[Found, str]:
        child = self._cache.child(write.ref)
        if child is None:
            return Found.UNKNOWN, ""  # it is gone, whoever removed it
        return (Found.FOUND, str(child.version)) if child.deleting else (Found.NOT_FOUND, "")

    def _finalizers(self, ref: Ref) -> tuple[tuple[str, ...] | None, str]:
        if subject := self._cache.subject(ref):
            return subject.meta.finalizers, subject.meta.resource_version
        if child := self._cache.child(ref):
            return child.finalizers, str(child.version)
        return None, ""


def _takes_off(confirmation: Confirmation) -> str:
    return object_digest(withdrawal_patch(confirmation))


JUDGES: Final = {
    Verb.CREATE: Closer._applied,
    Verb.APPLY: Closer._applied,
    Verb.PATCH: Closer._patched,
    Verb.DELETE: Closer._deleted,
}


def first_run_id(moment: datetime) -> str:
    """Return the smallest run id of that moment: ids begin with their time, so that earlier ones are below it."""
    return make_run_id(int(moment.timestamp() * 1000), bytes(10))


def subject_of(run: OpenRun) -> Ref | None:
    """Return whose run it is, as its START says; ``None`` for what concerns no object of ours."""
    names = [dataset["name"].split("/") for dataset in orjson.loads(run.start).get("inputs", ())]
    for group, version, kind, *place in (parts for parts in names if len(parts) > 3):  # noqa: PLR2004 -- the four parts
        if found := TYPES.get((f"{group}/{version}", kind)):
            return Ref(found, place[0] if found.namespaced else "", place[-1])
    return None
