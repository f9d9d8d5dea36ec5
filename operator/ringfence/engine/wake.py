"""Whose turn it is when something changed.

Law: a change wakes the object itself and whoever depends on it, never by what changed but because it did. What people
can do as often as they like is followed at a measured pace; what only the platform can, and what closes, is not.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ringfence import names
from ringfence.engine.cause import Cause
from ringfence.engine.pace import Pace, is_paced
from ringfence.engine.queue import WorkQueue
from ringfence.lineage.runs import Trigger
from ringfence.model.kinds import NAMESPACE, TENANT, Ref
from ringfence.plan.dependents import is_tenants_own, of_child, of_core_namespace, of_subject
from ringfence.plan.episode import incidents
from ringfence.plan.seen import AnySubject, CoreNamespace, View
from ringfence.ports.clock import Clock

GATHERING: Final = 0.2
"""Seconds in which the consequences of our own reports gather."""


class Waker:
    """Turns what the stores notice into work."""

    def __init__(self, queue: WorkQueue, clock: Clock, view: Callable[[], View]) -> None:
        self._queue = queue
        self._clock = clock
        self._view = view
        self._pace = Pace(clock.monotonic)
        self.awake = False
        """False while this process only watches: whoever takes over looks at everything anyway."""

    def wake(
        self, refs: Iterable[Ref], trigger: Trigger, managers: tuple[str, ...] = (), *, at_once: bool = False
    ) -> None:
        """Queue these objects; ``at_once`` is what no flood may delay, whatever the trigger."""
        if self.awake:
            cause = Cause(trigger, self._clock.monotonic(), managers)
            for ref in refs:
                if is_paced(ref, trigger) and not at_once:
                    self._follow(ref, cause)
                else:
                    self._queue.add(ref, cause)

    def _follow(self, ref: Ref, cause: Cause, least: float = 0.0) -> None:
        delay = least if self._queue.expects(ref) else max(least, self._pace.wait(ref))
        self._queue.add_soon(ref, cause, delay)

    def _wake_others_soon(self, refs: Iterable[Ref], by: Ref) -> None:
        """Wake who depends on what we wrote, but for the one for whom we wrote it: it is about to be as wanted."""
        if self.awake:
            cause = Cause(Trigger.DEPENDENCY, self._clock.monotonic())
            for ref in refs:
                if ref != by:
                    self._follow(ref, cause, GATHERING)

    def subject_changed(self, ref: Ref, before: AnySubject | None, after: AnySubject | None, *, ours: bool) -> None:
        """Wake the object, unless the change was our own (its status or finalizer), and its dependents.

        The answer to our own write also has what somebody asked for since we looked, and no event tells of that later.
        """
        dependents = of_subject(ref, before, after, self._view())
        asked = _asked(before) != _asked(after)
        if ours and not asked:
            self._wake_others_soon(dependents, ref)
            return
        at_once = (asked and ref.type == TENANT) or _is_quarantined(after) > _is_quarantined(before)
        if after:
            self.wake((ref,), trigger_of(before, after), at_once=at_once)
        self.wake(dependents, Trigger.DEPENDENCY, at_once=at_once)

    def child_changed(self, ref: Ref, labels: Mapping[str, str], managers: tuple[str, ...], *, by: Ref | None) -> None:
        """Wake whom the child belongs to, or who goes by it."""
        owners = of_child(ref, labels, self._view())
        if by:
            self._wake_others_soon(owners, by)
        else:
            self.wake(owners, Trigger.DEPENDENCY if is_tenants_own(ref, labels) else Trigger.DRIFT, managers)

    def namespace_changed(
        self, before: CoreNamespace | None, after: CoreNamespace | None, managers: tuple[str, ...], *, by: Ref | None
    ) -> None:
        """Wake who has the namespace, had it, or waits for its name."""
        for state in filter(None, (before, after)):
            concerned = of_core_namespace(state.name, state.labels)
            owned = names.TENANT_LABEL in state.labels
            if by:
                self._wake_others_soon(concerned, by)
            else:
                self.wake(concerned, Trigger.DRIFT if owned else Trigger.DEPENDENCY, managers)


def _asked(subject: AnySubject | None) -> object:
    """Return what people say by an object: our own writes leave it alone, but for taking off what was confirmed."""
    if subject is None:
        return None
    meta = subject.meta
    return meta.uid, meta.generation, meta.deleting, meta.labels, meta.annotations


def _is_quarantined(subject: AnySubject | None) -> bool:
    return subject is not None and subject.ref.type == NAMESPACE and bool(incidents(subject))


def trigger_of(before: AnySubject | None, after: AnySubject) -> Trigger:
    """Return why a changed custom resource is looked at."""
    if after.meta.deleting:
        return Trigger.DELETE
    if before is None and after.status.get("observedGeneration") == after.meta.generation:
        return Trigger.RESUME
    return Trigger.SPEC
