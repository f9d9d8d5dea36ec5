"""Sees where the glass is broken, and where a broken one goes: also what is over before anybody looks.

Law: each change is noted in the order in which the API server told it, and none is left out for a later one.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from ringfence import names
from ringfence.engine.children import Child, Children
from ringfence.engine.episodes import Episodes, Holder, Standing
from ringfence.engine.namespaces import CoreNamespaces, ref_of
from ringfence.engine.standing import managers_of
from ringfence.engine.subjects import Subjects
from ringfence.lineage.runs import Actor
from ringfence.model.kinds import CORE_NAMESPACE, PRIMARY_TYPES, TENANT, Ref
from ringfence.plan.episode import EpisodeKind, broken_glass

_GLASS: Final = names.BREAK_GLASS_ANNOTATION.encode()


class _State(NamedTuple):
    """What matters of one object now."""

    uid: str
    reason: str
    """Why the glass is broken at it; empty where it is whole."""


@dataclass(frozen=True, slots=True)
class _Gone:
    holder: Holder
    late: bool = False


class Witness:
    """Notes what the stores notice, and has it recorded."""

    def __init__(self, subjects: Subjects, namespaces: CoreNamespaces, children: Children) -> None:
        self._subjects = subjects
        self._namespaces = namespaces
        self._children = children
        self._broken: dict[Ref, _State] = {}
        self._noted: asyncio.Queue[Standing | _Gone] = asyncio.Queue()
        self._awake = False

    def resume(self, lasting: Iterable[Holder]) -> None:
        """Compare what lasts on record with what is there, and note every change from now on."""
        self._awake = True
        for ref, uid in lasting:
            state = self._state(ref)
            if state is not None and state.uid == uid:
                self._note(ref, state, late=True)
            else:
                self._noted.put_nowait(_Gone((ref, uid), late=True))
        for ref in self._all():
            self.look(ref, late=True)

    async def run(self, episodes: Episodes) -> None:
        """Have everything recorded that was noted, one after another."""
        while True:
            noted = await self._noted.get()
            try:
                await _record(noted, episodes)
            finally:
                self._noted.task_done()

    async def told(self) -> None:
        """Wait until everything that was noted so far is recorded, or kept for the ledger."""
        await self._noted.join()

    def look(self, ref: Ref, managers: tuple[str, ...] = (), *, late: bool = False) -> None:
        """Note an object that changed, if there is anything about it to be told."""
        if not self._awake:
            return
        state, before = self._state(ref), self._broken.get(ref)
        if before and (state is None or state.uid != before.uid):
            self.gone(ref, before.uid)
            before = None
        if state is not None and (state.reason or before) and state != before:
            self._note(ref, state, managers, late=late)

    def gone(self, ref: Ref, uid: str) -> None:
        """Note that an object is not there any more."""
        self._broken.pop(ref, None)
        if self._awake:
            self._noted.put_nowait(_Gone((ref, uid)))

    def _note(self, ref: Ref, state: _State, managers: tuple[str, ...] = (), *, late: bool) -> None:
        """Have one object's glass compared with what is on record of it."""
        if state.reason:
            self._broken[ref] = state
        else:
            self._broken.pop(ref, None)
        if owner := self._owner(ref):
            holding = (broken_glass(ref, state.uid, state.reason),) if state.reason else ()
            actor = Actor(managers=managers or self._managers(ref))
            self._noted.put_nowait(
                Standing((ref, state.uid), EpisodeKind.BREAK_GLASS, *owner, holding=holding, actor=actor, late=late)
            )

    # --- what is there

    def _all(self) -> Iterator[Ref]:
        yield from self._subjects.refs()
        yield from map(ref_of, self._namespaces.all_names())
        yield from self._children.refs()

    def _state(self, ref: Ref) -> _State | None:
        if ref.type in PRIMARY_TYPES:
            subject = self._subjects.get(ref)
            return _State(subject.meta.uid, _reason(subject.meta.annotations)) if subject else None
        if ref.type == CORE_NAMESPACE:
            core = self._namespaces.get(ref.name)
            return _State(core.uid, _reason(core.annotations)) if core else None
        child = self._children.get(ref)
        return _State(child.uid, _reason_of_child(child)) if child else None

    def _owner(self, ref: Ref) -> tuple[str, str] | None:
        """Return the log that tells of an object, and its tenant; None for what is under nobody's fence."""
        if ref.type == TENANT:
            tenant = self._subjects.get(ref)
            return (tenant.meta.uid, ref.name) if tenant else None
        core = self._namespaces.get(ref.namespace or ref.name)
        if core is None or names.OWNER_UID_LABEL not in core.labels:
            return None
        return core.labels[names.OWNER_UID_LABEL], core.labels.get(names.TENANT_LABEL, "")

    def _managers(self, ref: Ref) -> tuple[str, ...]:
        subject = self._subjects.get(ref) if ref.type in PRIMARY_TYPES else None
        return managers_of(subject) if subject else ()


async def _record(noted: Standing | _Gone, episodes: Episodes) -> None:
    if isinstance(noted, Standing):
        await episodes.settle(noted)
    else:
        await episodes.vanished(noted.holder, late=noted.late)


def _reason(annotations: Mapping[str, str]) -> str:
    return annotations.get(names.BREAK_GLASS_ANNOTATION, "")


def _reason_of_child(child: Child) -> str:
    """Children are kept as bytes, and few of them are worth parsing."""
    if _GLASS not in child.content:
        return ""
    return _reason(orjson.loads(child.content).get("metadata", {}).get("annotations", {}))
