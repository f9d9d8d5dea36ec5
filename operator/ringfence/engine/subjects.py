"""Our own custom resources as they were last seen, parsed once.

Law: what an event says of one object counts only if it is newer than what is known of that object.
"""

from collections.abc import Set
from typing import Protocol

import orjson
import structlog

from ringfence.lineage import canonical
from ringfence.model.kinds import Ref, ResourceType
from ringfence.model.parse import parse
from ringfence.plan.seen import AnySubject
from ringfence.ports.cluster import Object

log = structlog.get_logger(__name__)


class SubjectChanged(Protocol):
    """Called with what was and what is (``None``: not there), and whether we wrote it."""

    def __call__(self, ref: Ref, before: AnySubject | None, after: AnySubject | None, *, ours: bool) -> None:
        """Note the change."""
        ...


class Subjects:
    """Custom resources of the four kinds."""

    def __init__(self, *, changed: SubjectChanged) -> None:
        self._changed = changed
        self._collections: dict[tuple[ResourceType, str], dict[str, AnySubject]] = {}
        self._sorted: dict[tuple[ResourceType, str], tuple[AnySubject, ...]] = {}
        self._digests: dict[Ref, str] = {}
        self._versions: dict[str, int] = {}
        self._unreadable: set[str] = set()

    def __len__(self) -> int:
        """How many are known."""
        return sum(map(len, self._collections.values()))

    def get(self, ref: Ref) -> AnySubject | None:
        """Return one of them."""
        return self._collections.get((ref.type, ref.namespace), {}).get(ref.name)

    def all(self, kind: ResourceType, namespace: str) -> tuple[AnySubject, ...]:
        """Return those of one kind in one namespace, oldest first."""
        place = (kind, namespace)
        if place not in self._sorted:
            found = self._collections.get(place, {}).values()
            self._sorted[place] = tuple(sorted(found, key=lambda subject: subject.age_key))
        return self._sorted[place]

    def refs(self) -> tuple[Ref, ...]:
        """Return every object's reference."""
        return tuple(subject.ref for collection in self._collections.values() for subject in collection.values())

    def seen(self, thing: Object, *, ours: bool = False) -> None:
        """Note an object from the watch, or from the answer to our own write.

        We write what we know, so that an answer about what is not known any more came after its deletion was told.
        """
        if self._is_old(thing) or (ours and thing["metadata"]["uid"] not in self._versions):
            return
        try:
            after = parse(thing)
        except Exception:  # an object that breaks the parser must not keep the others from being known
            log.exception("object not understood", name=thing["metadata"].get("name"), kind=thing.get("kind"))
            self._unreadable.add(thing["metadata"]["uid"])
            return
        before = self.get(after.ref)
        self._put(after)
        self._versions[after.meta.uid] = int(after.meta.resource_version)
        self._digest(after, before, thing)
        self._changed(after.ref, before, after, ours=ours)

    def _is_old(self, thing: Object) -> bool:
        """Answer whether as much or more is known; parsing costs a hundred times as much as this."""
        metadata = thing["metadata"]
        return int(metadata["resourceVersion"]) <= self._versions.get(metadata["uid"], -1)

    def spec_digest(self, ref: Ref) -> str:
        """Return the digest of the object's spec; empty where it is not known."""
        return self._digests.get(ref, "")

    def gone(self, ref: Ref, uid: str) -> None:
        """Note a deletion; one of a namesake that came before is no news."""
        self._versions.pop(uid, None)
        self._unreadable.discard(uid)
        before = self.get(ref)
        if before and before.meta.uid == uid:
            self._drop(ref)
            self._changed(ref, before, None, ours=False)

    def missing(self, kind: ResourceType, present: Set[str], resource_version: int) -> None:
        """Forget those of a kind whose uid a list did not name, unless they are newer than the list."""
        for (known_kind, _), collection in tuple(self._collections.items()):
            for subject in tuple(collection.values()) if known_kind == kind else ():
                if subject.meta.uid not in present and int(subject.meta.resource_version) <= resource_version:
                    self.gone(subject.ref, subject.meta.uid)

    def unknown(self, kind: ResourceType, uids: Set[str]) -> frozenset[str]:
        """Return those of the uids that belong to no known object of the kind."""
        known = {
            subject.meta.uid
            for (known_kind, _), collection in self._collections.items()
            if known_kind == kind
            for subject in collection.values()
        }
        return frozenset(uids - known - self._unreadable)

    def _put(self, subject: AnySubject) -> None:
        place = (subject.ref.type, subject.ref.namespace)
        self._collections.setdefault(place, {})[subject.ref.name] = subject
        self._sorted.pop(place, None)

    def _digest(self, after: AnySubject, before: AnySubject | None, thing: Object) -> None:
        same = before and (before.meta.uid, before.meta.generation) == (after.meta.uid, after.meta.generation)
        if not same:
            spec = orjson.dumps(thing.get("spec"), option=orjson.OPT_SORT_KEYS)
            self._digests[after.ref] = canonical.digest(spec)

    def _drop(self, ref: Ref) -> None:
        place = (ref.type, ref.namespace)
        self._collections.get(place, {}).pop(ref.name, None)
        self._digests.pop(ref, None)
        self._sorted.pop(place, None)
