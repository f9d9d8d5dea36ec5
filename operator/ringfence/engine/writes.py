"""From a plan and what is known to the writes that are missing.

Law: what agrees is not written; an agreement found once is remembered for that very version of the object.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import orjson

from ringfence import names
from ringfence.engine.children import Child
from ringfence.lineage.canonical import object_digest
from ringfence.lineage.runs import PlannedWrite, Verb
from ringfence.model.kinds import CORE_NAMESPACE, DEPLOYMENT, EXTERNAL_SECRET, SERVICE, SERVICE_ACCOUNT, Ref
from ringfence.plan.confirmations import Confirmation
from ringfence.plan.difference import difference, differs_in_lists, removals, replacement
from ringfence.plan.held import is_held
from ringfence.plan.plan import Desired, Finalizer, Manifest, Plan, Stage
from ringfence.plan.seen import AnySubject

WHOLE_OBJECT: Final[tuple[str, ...]] = ("",)
"""The JSON pointer of everything: what a create changes."""
_OTHERS_MAKE: Final = frozenset({SERVICE_ACCOUNT, EXTERNAL_SECRET})
"""Kubernetes itself makes the default ServiceAccount; External Secrets fills in defaults that an apply leaves alone."""
_PATCHED_FIRST: Final = frozenset({DEPLOYMENT, SERVICE})
"""What must not be there goes by a merge patch first: of lists an apply leaves others' items, and admission refuses a
Service that still has somebody's outside address."""


class Known(Protocol):
    """What is known of the objects that plans ask for."""

    def child(self, ref: Ref) -> Child | None:
        """Return one object."""
        ...

    def occupied(self, ref: Ref) -> bool:
        """Whether an object of that name was found that does not carry our label."""
        ...


@dataclass(frozen=True, slots=True)
class Write:
    """One change that is to be made."""

    k: int
    verb: Verb
    ref: Ref
    manifest: Manifest | None = None
    patch: Mapping[str, Any] | None = None
    fingerprint: bytes = b""
    uid: str = ""
    """The object that a deletion or an apply is about; empty where an apply may be about any."""
    resource_version: str = ""
    """The version that a patch rests on; empty where it rests on none."""
    pointers: tuple[str, ...] = ()
    """JSON pointers of what differs."""
    digest: str = ""
    """Of the manifest or the patch; empty for a deletion."""

    @property
    def planned(self) -> PlannedWrite:
        """The write as its record announces it."""
        return PlannedWrite(self.k, self.verb, self.ref, self.digest)


@dataclass(frozen=True, slots=True)
class Batch:
    """Writes that may run side by side."""

    name: str
    writes: tuple[Write, ...]
    tightening: bool = False


def fingerprint(manifest: Manifest) -> bytes:
    """Return what tells two manifests apart, quickly."""
    return hashlib.blake2b(orjson.dumps(manifest), digest_size=16).digest()


def missing(plan: Plan, subject: AnySubject, known: Known) -> tuple[Batch, ...]:
    """Return the batches that bring the cluster to the plan, in order; none where everything agrees."""
    if not plan.repair:
        return ()
    batches: list[Batch] = []
    count = 0
    for name, tightening, unnumbered in _unnumbered(plan, subject, known):
        writes = tuple(unnumbered)
        if writes:
            batches.append(Batch(name, tuple(_numbered(writes, count)), tightening))
            count += len(writes)
    return tuple(batches)


def _unnumbered(plan: Plan, subject: AnySubject, known: Known) -> Iterator[tuple[str, bool, Iterable[Write]]]:
    yield "hold", False, _hold(plan, subject)
    for stage in plan.stages:
        writes, cleanings = _stage(stage, known)
        yield stage.name, stage.tightening, writes
        yield stage.name, stage.tightening, cleanings
        yield stage.name, stage.tightening, _let_go(stage, known)
    yield "confirmations", True, _withdrawn(plan, subject)
    yield "free", False, _free(plan, subject)


def _numbered(writes: tuple[Write, ...], first: int) -> Iterator[Write]:
    for k, write in enumerate(writes, first):
        content = write.manifest or write.patch
        yield replace(write, k=k, digest=object_digest(content) if content else "")


def _hold(plan: Plan, subject: AnySubject) -> Iterator[Write]:
    held = subject.meta.finalizers
    if plan.finalizer is Finalizer.HOLD and names.FINALIZER not in held and not subject.meta.deleting:
        yield _finalizers(subject.ref, (*held, names.FINALIZER), subject.meta.resource_version)


def _withdrawn(plan: Plan, subject: AnySubject) -> Iterator[Write]:
    """Take off what was confirmed of an earlier state of the object, if that is still what stands there."""
    for confirmation in plan.stale:
        yield Write(
            0,
            Verb.PATCH,
            subject.ref,
            patch=withdrawal_patch(confirmation),
            resource_version=subject.meta.resource_version,
            pointers=tuple(f"/metadata/annotations/{name.replace('/', '~1')}" for name in confirmation),
        )


def _free(plan: Plan, subject: AnySubject) -> Iterator[Write]:
    held = subject.meta.finalizers
    if plan.finalizer is Finalizer.RELEASE and names.FINALIZER in held:
        yield _finalizers(subject.ref, _without_ours(held), subject.meta.resource_version)


def _stage(stage: Stage, known: Known) -> tuple[list[Write], list[Write]]:
    """Return a stage's writes, and those that take away what somebody added to an object of ours.

    A server-side apply leaves other managers' keys alone, hence the second kind, which comes after the first.
    """
    writes: list[Write] = []
    cleanings: list[Write] = []
    for desired in stage.apply:
        applied, cleaned = _apply(desired, known)
        writes += applied
        cleanings += cleaned
    for ref in stage.release:
        child = known.child(ref)
        if child and names.FINALIZER in child.finalizers:
            writes.append(_finalizers(ref, _without_ours(child.finalizers), str(child.version)))
    for ref in stage.delete:
        child = known.child(ref)
        if child and not child.deleting:
            writes.append(Write(0, Verb.DELETE, ref, uid=child.uid, pointers=WHOLE_OBJECT))
    return writes, cleanings


def _apply(desired: Desired, known: Known) -> tuple[list[Write], list[Write]]:
    child = known.child(desired.ref)
    mark = fingerprint(desired.manifest)
    write = Write(0, Verb.APPLY, desired.ref, manifest=desired.manifest, fingerprint=mark, pointers=WHOLE_OBJECT)
    if child is None:
        return [_born(write, known)], []
    if child.agreed == mark:
        return [], []
    content = orjson.loads(child.content)
    pointers = difference(desired.manifest, content)
    if not pointers:
        child.agreed = mark
        return [], []
    if child.deleting:  # what goes can't be repaired; its end wakes us
        return [], []
    apply = replace(write, pointers=pointers, uid=child.uid)
    patch = removals(desired.manifest, content)
    if desired.ref.type in _PATCHED_FIRST and (patch or differs_in_lists(desired.manifest, pointers)):
        whole = replacement(desired.manifest, content)
        return [Write(0, Verb.PATCH, desired.ref, patch=whole, pointers=pointers)], [apply]
    cleaning = [Write(0, Verb.PATCH, desired.ref, patch=patch, pointers=pointers)] if patch else []
    return [apply], cleaning


def _born(write: Write, known: Known) -> Write:
    """Make what is not there by a create: it takes nothing over that somebody made since the look, as an apply would.

    It also costs the API server less. What came first without our label is ours to take all the same, but for a
    namespace, which is the only thing that nobody reserved for us.
    """
    if write.ref.type in _OTHERS_MAKE or (write.ref.type != CORE_NAMESPACE and known.occupied(write.ref)):
        return write
    return replace(write, verb=Verb.CREATE)


def _let_go(stage: Stage, known: Known) -> Iterator[Write]:
    """Take others' finalizers off what is to go, and off what is going and is to be made anew."""
    going = [desired.ref for desired in stage.apply if (child := known.child(desired.ref)) and child.deleting]
    for ref in (*going, *stage.delete):
        child = known.child(ref)
        if child and is_held(ref, child.finalizers):
            yield _finalizers(ref, (), "")


def finalizers_patch(finalizers: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the patch that makes these an object's finalizers."""
    return {"metadata": {"finalizers": list(finalizers)}}


def withdrawal_patch(confirmation: Confirmation) -> Mapping[str, Any]:
    """Return the patch that takes a confirmation off."""
    return {"metadata": {"annotations": dict.fromkeys(confirmation)}}


def _finalizers(ref: Ref, finalizers: tuple[str, ...], resource_version: str) -> Write:
    return Write(
        0,
        Verb.PATCH,
        ref,
        patch=finalizers_patch(finalizers),
        resource_version=resource_version,
        pointers=("/metadata/finalizers",),
    )


def _without_ours(finalizers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(held for held in finalizers if held != names.FINALIZER)
