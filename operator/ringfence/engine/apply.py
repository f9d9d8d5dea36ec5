"""Makes the writes of a run, batch after batch, and notes what came of each.

Law: a batch starts when the one before it has succeeded; of a batch, every write is tried.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.engine.budget import Budget
from ringfence.engine.cache import Cache
from ringfence.engine.metrics import Metrics
from ringfence.engine.queue import lane
from ringfence.engine.writes import Batch, Write
from ringfence.lineage.runs import Verb, WriteOutcome, audit_id
from ringfence.model.kinds import CONFIG_MAP, PRIMARY_TYPES, SECRET, Ref
from ringfence.plan.plan import Manifest
from ringfence.ports.cluster import ClusterError, ConflictError, NotFoundError, Object, Writer
from ringfence.ports.mint import Mint


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a run's writes."""

    outcomes: Sequence[WriteOutcome]
    failed: Write | None = None
    error: ClusterError | None = None
    """The first failure; later batches were not begun."""

    @property
    def changed(self) -> int:
        """How many writes took effect, as far as is known."""
        return sum(outcome.changed for outcome in self.outcomes)


class Applier:
    """The engine's hand."""

    def __init__(
        self,
        cluster: Writer,
        cache: Cache,
        budget: Budget,
        metrics: Metrics,
        own_answer: Callable[[Object], None],
        *,
        mint: Mint,
    ) -> None:
        self._cluster = cluster
        self._mint = mint
        self._cache = cache
        self._budget = budget
        self._metrics = metrics
        self._own_answer = own_answer

    async def apply(self, run_id: str, subject: Ref, batches: Sequence[Batch]) -> Applied:
        """Make the writes for ``subject`` in order; stop after the first batch that had a failure."""
        outcomes: list[WriteOutcome] = []
        for batch in batches:
            results = await asyncio.gather(*(self._attempt(run_id, subject, write) for write in batch.writes))
            outcomes += [outcome for outcome, _ in results]
            for write, (_, error) in zip(batch.writes, results, strict=True):
                if error is not None:
                    return Applied(outcomes, write, error)
        return Applied(outcomes)

    async def rehearse(self, subject: Ref, write: Write) -> None:
        """Ask by a dry run whether an apply that failed before would do now."""
        if write.manifest is not None:
            async with self._budget.spend(lane(subject)):
                await self._cluster.apply(write.ref, write.manifest, audit_id="", dry_run=True)

    async def _attempt(self, run_id: str, subject: Ref, write: Write) -> tuple[WriteOutcome, ClusterError | None]:
        result = "error"
        try:
            async with self._budget.spend(lane(subject)):
                answer = await self._write(audit_id(run_id, write.k), subject, write)
        except ClusterError as error:
            return _outcome(write, error=error.message), error
        else:
            result = "ok"
            version = str(answer.get("metadata", {}).get("resourceVersion", "")) if answer else ""
            return _outcome(write, resource_version=version, changed=answer is not None), None
        finally:
            self._metrics.wrote(write.verb, write.ref.type, result)

    async def _write(self, audit: str, subject: Ref, write: Write) -> Object | None:
        """Make one write and note its answer; ``None`` where there was nothing left to change."""
        if write.ref.type in PRIMARY_TYPES:
            return await self._free_or_hold(audit, write)
        if write.ref.type == SECRET:
            return await self._deposit(audit, write)
        self._cache.writing(write.ref)
        answer: Object | None = None
        try:
            answer = await self._send(audit, write)
        finally:
            if write.verb is not Verb.DELETE or answer is None:
                self._cache.written(write.ref, answer, write.fingerprint, by=subject)
            else:
                self._cache.removed(write.ref, answer, by=subject)
        return answer

    async def _free_or_hold(self, audit: str, write: Write) -> Object | None:
        answer = await self._send(audit, write)
        if answer is not None:
            self._own_answer(answer)
        return answer

    async def _deposit(self, audit: str, write: Write) -> Object:
        """Make a Secret of what was minted for it, owned by its namesake, with which it is to go; keep nothing."""
        namespace, name = write.ref.namespace, write.ref.name
        owner = self._cache.child(Ref(CONFIG_MAP, namespace, name))
        try:
            pair = self._mint.pair(namespace, name)
        except KeyError:
            pair = None
        if owner is None or pair is None or write.manifest is None:
            raise ConflictError(f"what was to be in Secret {name} is not there any more; another one is made")
        answer = await self._cluster.deposit(write.ref, _owned(write.manifest, owner.uid), pair, audit_id=audit)
        self._mint.spent(namespace, name)
        return answer

    async def _send(self, audit: str, write: Write) -> Object | None:
        if write.verb is Verb.CREATE and write.manifest is not None:
            return await self._create(audit, write.ref, write.manifest)
        if write.verb is Verb.APPLY and write.manifest is not None:
            return await self._cluster.apply(write.ref, write.manifest, audit_id=audit, uid=write.uid)
        try:
            if write.verb is Verb.DELETE:
                return await self._cluster.delete(write.ref, uid=write.uid, audit_id=audit)
            return await self._cluster.merge(
                write.ref, write.patch or {}, audit_id=audit, resource_version=write.resource_version
            )
        except NotFoundError:
            return None  # gone already, which is what was wanted

    async def _create(self, audit: str, ref: Ref, manifest: Manifest) -> Object:
        try:
            return await self._cluster.create(ref, manifest, audit_id=audit)
        except ConflictError:
            self._cache.occupy(ref)
            raise


def _outcome(write: Write, *, resource_version: str = "", changed: bool = False, error: str = "") -> WriteOutcome:
    return WriteOutcome(
        k=write.k,
        verb=write.verb,
        ref=write.ref,
        digest=write.digest,
        resource_version=resource_version,
        changed=changed,
        pointers=write.pointers,
        error=error,
    )


def _owned(manifest: Manifest, uid: str) -> dict[str, Any]:
    """The manifest with the uid of its one owner."""
    metadata = manifest["metadata"]
    owners = [{**owner, "uid": uid} for owner in metadata["ownerReferences"]]
    return {**manifest, "metadata": {**metadata, "ownerReferences": owners}}
