"""What is known of the objects in tenant namespaces, as bytes: half a kilobyte each instead of five.

Law: knowledge only grows newer. What carries an older resource version than what is known is an echo of the past, but
for what somebody changed between our look and our write: the answer to the write has it, and nothing else tells of it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Protocol

import orjson

from ringfence import names
from ringfence.engine.managers import latest_managers
from ringfence.engine.reflector import Key, key_of
from ringfence.model.kinds import Ref, ResourceType
from ringfence.plan.difference import relevant
from ringfence.plan.seen import Live
from ringfence.ports.cluster import Object


@dataclass(slots=True)
class Child:
    """One object as it was last seen."""

    uid: str
    version: int
    content: bytes
    ours: bool
    deleting: bool
    finalizers: tuple[str, ...]
    agreed: bytes = b""
    """Digest of the manifest that this very version was found to agree with."""
    rested_on: int = sys.maxsize
    """The version that was known when we wrote this one; never below it for what others wrote."""

    def wrote_over(self, version: int) -> bool:
        """Whether our write followed upon a version that we had not seen: then nothing is agreed upon any more."""
        if not self.rested_on < version < self.version:
            return False
        self.rested_on = version
        self.agreed = b""
        return True

    def live(self, ref: Ref) -> Live:
        """Return it as planners see it."""
        return Live(
            ref=ref,
            uid=self.uid,
            resource_version=str(self.version),
            ours=self.ours,
            content=orjson.loads(self.content),
            deleting=self.deleting,
            finalizers=self.finalizers,
        )


def _exact(data: bytes) -> bytes:
    """Copy what is kept: orjson's own bytes hold on to a buffer of several kilobytes each (measured)."""
    return bytes(memoryview(data))


class LiveObjects(Mapping[Ref, Live]):
    """Children as planners see them, parsed one by one: most looks need few."""

    def __init__(self, children: Mapping[Ref, Child]) -> None:
        self._children = children

    def __getitem__(self, ref: Ref) -> Live:
        return self._children[ref].live(ref)

    def __iter__(self) -> Iterator[Ref]:
        return iter(self._children)

    def __len__(self) -> int:
        return len(self._children)


class ChildChanged(Protocol):
    """Called with the object, its labels and whoever changed it; ``by`` for whom we did ourselves."""

    def __call__(self, ref: Ref, labels: Mapping[str, str], managers: tuple[str, ...], *, by: Ref | None) -> None:
        """Note the change."""
        ...


def child_of(thing: Object) -> Child:
    """Keep of an object what matters."""
    metadata = thing["metadata"]
    labels = metadata.get("labels") or {}
    return Child(
        uid=metadata["uid"],
        version=int(metadata["resourceVersion"]),
        content=_exact(orjson.dumps(relevant(thing), option=orjson.OPT_SORT_KEYS)),
        ours=labels.get(names.MANAGED_BY_LABEL) == names.MANAGED_BY,
        deleting="deletionTimestamp" in metadata,
        finalizers=tuple(metadata.get("finalizers") or ()),
    )


def _labels(child: Child) -> Mapping[str, str]:
    labels: Mapping[str, str] = orjson.loads(child.content).get("metadata", {}).get("labels", {})
    return labels


class Children:
    """Watched objects by namespace. Implements ``reflector.Store``."""

    def __init__(self, *, keeps: Callable[[str], bool], changed: ChildChanged) -> None:
        self._keeps = keeps
        self._changed = changed
        self._by_namespace: dict[str, dict[Ref, Child]] = {}
        self._writing: dict[Ref, list[tuple[bool, Object]]] = {}

    def __len__(self) -> int:
        """How many objects are known."""
        return sum(map(len, self._by_namespace.values()))

    def get(self, ref: Ref) -> Child | None:
        """Return what is known of one object."""
        return self._by_namespace.get(ref.namespace, {}).get(ref)

    def refs(self) -> Iterator[Ref]:
        """Yield every object that is known."""
        for children in self._by_namespace.values():
            yield from tuple(children)

    def live(self, namespace: str) -> Mapping[Ref, Live]:
        """Return everything known in one namespace; content is parsed when it is looked at."""
        return LiveObjects(self._by_namespace.get(namespace, {}))

    def forget_namespace(self, namespace: str) -> None:
        """Drop what is not ours to know: the namespace is no tenant's."""
        self._by_namespace.pop(namespace, None)

    # --- from the API server

    def seen(self, kind: ResourceType, thing: Object) -> None:
        """Note an object from a list or a watch."""
        ref = self._ref(kind, thing)
        if ref in self._writing:
            self._writing[ref].append((True, thing))
            return
        child = child_of(thing)
        if not child.ours and not self._keeps(ref.namespace):
            self._drop(ref)
            return
        if self._is_news(ref, child):
            self._changed(ref, thing["metadata"].get("labels") or {}, latest_managers(thing), by=None)

    def _is_news(self, ref: Ref, child: Child) -> bool:
        """Store the object; answers whether anything that matters changed, or may have before we wrote it."""
        known = self.get(ref)
        if known and child.version <= known.version:
            return known.wrote_over(child.version)
        if known and (known.uid, known.content, known.deleting) == (child.uid, child.content, child.deleting):
            known.version = child.version
            return False
        self._put(ref, child)
        return True

    def gone(self, kind: ResourceType, thing: Object) -> None:
        """Note a deletion."""
        ref = self._ref(kind, thing)
        if ref in self._writing:
            self._writing[ref].append((False, thing))
            return
        known = self.get(ref)
        if known and known.uid == thing["metadata"]["uid"]:
            self._drop(ref)
            self._changed(ref, thing["metadata"].get("labels") or {}, (), by=None)

    def listed(self, kind: ResourceType, keys: Set[Key], resource_version: int) -> None:
        """Forget what a list did not name, unless it is newer than the list."""
        for ref, child in tuple(self._of(kind)):
            if (ref.namespace, ref.name) not in keys and child.version <= resource_version:
                self._drop(ref)
                self._changed(ref, _labels(child), (), by=None)

    def serves(self, kind: ResourceType, *, served: bool) -> None:
        """Nothing to note: an absent type has no objects."""

    # --- from our own writes

    def writing(self, ref: Ref) -> None:
        """Hold back what the watch says of ``ref`` until the write's answer tells echo from news."""
        self._writing.setdefault(ref, [])

    def written(self, ref: Ref, answer: Object | None, agreed: bytes = b"", *, by: Ref) -> None:
        """Note the answer to a write for ``by`` (``None``: it failed), then what the watch said meanwhile."""
        held = self._writing.pop(ref, [])
        if answer is not None:
            known, child = self.get(ref), child_of(answer)
            child.agreed = agreed
            child.rested_on = known.version if known else sys.maxsize
            self._put(ref, child)
            self._changed(ref, answer["metadata"].get("labels") or {}, (), by=by)
        for there, thing in held:
            (self.seen if there else self.gone)(ref.type, thing)

    def removed(self, ref: Ref, answer: Object, *, by: Ref) -> None:
        """Note the answer to a deletion for ``by``: the object is gone, or finalizers keep it for a while."""
        metadata = answer.get("metadata") or {}
        if metadata.get("deletionTimestamp") and metadata.get("finalizers"):
            self.written(ref, answer, by=by)
            return
        known = self.get(ref)
        self._drop(ref)
        self.written(ref, None, by=by)
        if known:
            self._changed(ref, _labels(known), (), by=by)

    # --- inside

    def _ref(self, kind: ResourceType, thing: Object) -> Ref:
        namespace, name = key_of(thing)
        return Ref(kind, sys.intern(namespace), sys.intern(name))

    def _of(self, kind: ResourceType) -> Iterator[tuple[Ref, Child]]:
        for children in self._by_namespace.values():
            yield from ((ref, child) for ref, child in children.items() if ref.type == kind)

    def _put(self, ref: Ref, child: Child) -> None:
        self._by_namespace.setdefault(ref.namespace, {})[ref] = child

    def _drop(self, ref: Ref) -> None:
        if children := self._by_namespace.get(ref.namespace):
            children.pop(ref, None)
            if not children:
                del self._by_namespace[ref.namespace]
