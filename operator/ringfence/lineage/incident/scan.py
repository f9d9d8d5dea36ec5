"""Reads one log from its beginning, and keeps what belongs to one incident.

Law: what happened meanwhile is what the log has between the declaration and the end, in the same scope: all of a
tenant, or one Namespace of it. The order is the log's own, whatever clocks said.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ringfence.lineage.entry import EventType, Record
from ringfence.lineage.episodes import FACET
from ringfence.lineage.incident.story import Happening, Step, Story, Withdrawal
from ringfence.lineage.leaf import decode_leaf
from ringfence.lineage.summary import read_event
from ringfence.plan.episode import EpisodeKind

Json = dict[str, Any]

_RECONCILE: Final = "ringfence_reconcile"
_PREFIX: Final = "reconcile/ringfence.dev/v1alpha1/"
_ACCESS: Final = ("networkpolicies", "rolebindings", "serviceaccounts")
_BEGINNINGS: Final = {EpisodeKind.PAUSE: Step.PAUSED, EpisodeKind.BREAK_GLASS: Step.GLASS_BROKEN}
_ENDS: Final = {EpisodeKind.PAUSE: Step.PAUSE_OVER, EpisodeKind.BREAK_GLASS: Step.GLASS_MENDED}


def scan(log: str, records: Iterable[Record], incident: str) -> Story | None:
    """What the log tells of the incident; None where it does not know it."""
    reading = _Reading(incident)
    for record in records:
        reading.take(record)
    return reading.story(log) if reading.happenings else None


def known_incidents(records: Iterable[Record]) -> Iterator[str]:
    """Every incident of which a log knows, as often as it was declared."""
    for record in records:
        facet = _facets(read_event(record)).get(FACET, {})
        if facet.get("incident") and "end" not in facet:
            yield str(facet["incident"])


class _Reading:
    """What is known after the records so far."""

    def __init__(self, incident: str) -> None:
        self._incident = incident
        self._tenant = ""
        self._scopes: dict[str, str] = {}
        """By run of the quarantines that last: the Namespace, empty for all of the tenant."""
        self._closed: set[str] = set()
        self._reopening: set[str] = set()
        self.happenings: list[Happening] = []
        self._withdrawn: list[Withdrawal] = []
        self._lost: list[int] = []

    def story(self, log: str) -> Story:
        return Story(
            log,
            self._incident,
            self._tenant,
            tuple(self.happenings),
            tuple(self._withdrawn),
            tuple(self._lost),
            lasts=bool(self._scopes),
        )

    def take(self, record: Record) -> None:
        event = read_event(record)
        if event is None:
            if self._scopes:
                self._lost.append(record.index)
            return
        facets = _facets(event)
        if facet := facets.get(FACET):
            self._episode(record, event, facet)
        elif facet := facets.get(_RECONCILE):
            self._reconcile(record, event, facet)

    # --- quarantines, pauses, broken glass

    def _episode(self, record: Record, event: Json, facet: Json) -> None:
        if facet["kind"] != EpisodeKind.QUARANTINE:
            if self._in_scope(facet):
                self._meanwhile(record, facet)
        elif facet.get("incident") == self._incident:
            self._tenant = self._tenant or facet.get("tenant", "")
            self._quarantine(record, event["run"]["runId"], facet)

    def _quarantine(self, record: Record, run: str, facet: Json) -> None:
        end = facet.get("end")
        if end is None:
            self._scopes[run] = facet.get("namespace", "")
            self._add(record, Step.DECLARED, facet, detail=facet.get("reason", ""))
            return
        self._scopes.pop(run, None)
        changed = end["how"] == "Changed"
        if not changed:
            self._reopening |= self._closed
        detail = "" if end["how"] in ("Lifted", "Changed") else end["how"]
        self._add(record, Step.CHANGED if changed else Step.LIFTED, facet, end=end, detail=detail)

    def _meanwhile(self, record: Record, facet: Json) -> None:
        kind, end = EpisodeKind(facet["kind"]), facet.get("end")
        if end is None:
            until = f" (until {facet['until']})" if "until" in facet else ""
            self._add(record, _BEGINNINGS[kind], facet, detail=facet.get("reason", "") + until)
        else:
            self._add(record, _ENDS[kind], facet, end=end, detail=end["how"])

    def _add(self, record: Record, step: Step, facet: Json, *, end: Json | None = None, detail: str = "") -> None:
        told = facet if end is None else end
        thing = facet["object"]
        self.happenings.append(
            Happening(
                record.index,
                _time_ms(record),
                step,
                "/".join(thing[part] for part in ("kind", "namespace", "name") if part in thing),
                by=_who(told.get("actor", {})),
                confirmed_by=told.get("confirmedBy", ""),
                detail=detail,
                late=told.get("late", False),
            )
        )

    # --- what the operator did

    def _reconcile(self, record: Record, event: Json, facet: Json) -> None:
        kind, name = event["eventType"], str(event["job"]["name"]).removeprefix(_PREFIX)
        outcome = facet.get("outcome", {})
        if kind == EventType.START:
            return
        if self._incident in facet.get("incidents", ()):
            self._contained(record, event, facet, name)
        elif name in self._reopening and kind == EventType.COMPLETE and outcome.get("changed"):
            self._reopening.discard(name)
            self.happenings.append(Happening(record.index, _time_ms(record), Step.OPENED, name))
        if self._in_scope(facet):
            self._work(record, event, facet, name)

    def _contained(self, record: Record, event: Json, facet: Json, name: str) -> None:
        if facet["trigger"] != "drift":  # what came since and was put back is told for itself
            self._withdrawn += _withdrawals(record.index, event)
        if event["eventType"] == EventType.COMPLETE and name not in self._closed:
            self._closed.add(name)
            self.happenings.append(Happening(record.index, _time_ms(record), Step.CLOSED, name))

    def _work(self, record: Record, event: Json, facet: Json, name: str) -> None:
        """What was refused, failed or put back while the incident lasted."""
        outcome, step, detail = facet.get("outcome", {}), None, ""
        message = str(_facets(event).get("errorMessage", {}).get("message", ""))
        if event["eventType"] == EventType.ABORT:
            step, detail = Step.ABORTED, "the operator was killed at it"
        elif outcome.get("result") in ("Denied", "Failed"):
            step = Step.REFUSED if outcome["result"] == "Denied" else Step.FAILED
            detail = ": ".join(part for part in (outcome.get("reason", ""), message) if part)
        elif facet["trigger"] == "drift" and outcome.get("changed"):
            step, detail = Step.REPAIRED, ", ".join(_changed(event))
        if step is not None:
            by = _who({"managers": facet.get("actor", {}).get("managers", ())}) if step is Step.REPAIRED else ""
            self.happenings.append(Happening(record.index, _time_ms(record), step, name, by=by, detail=detail))

    def _in_scope(self, facet: Json) -> bool:
        return any(not namespace or namespace == facet.get("namespace") for namespace in self._scopes.values())


def _withdrawals(leaf: int, event: Json) -> Iterator[Withdrawal]:
    for output in event.get("outputs", ()):
        facets = output.get("outputFacets", {})
        told = facets.get("ringfence_applied") or facets.get("ringfence_checked") or {}
        if told.get("resource") not in _ACCESS or not _took_effect(told):
            continue
        if told["verb"] == "delete":
            yield Withdrawal(leaf, _short(output["name"]), "deleted", certain="found" not in told)
        elif told["resource"] == "rolebindings":
            yield Withdrawal(leaf, _short(output["name"]), "made read-only", certain=told.get("found") != "Unknown")


def _took_effect(told: Json) -> bool:
    """A deletion whose object is gone can't be told from somebody else's."""
    return bool(told.get("changed")) if "found" not in told else told["found"] != "NotFound"


def _changed(event: Json) -> Iterator[str]:
    for output in event.get("outputs", ()):
        if output.get("outputFacets", {}).get("ringfence_applied", {}).get("changed"):
            yield _short(output["name"])


def _short(dataset: str) -> str:
    """``networking.k8s.io/v1/NetworkPolicy/acme-web/own`` as ``NetworkPolicy/acme-web/own``."""
    parts = dataset.split("/")
    kind = next((at for at, part in enumerate(parts) if part[:1].isupper()), 0)
    return "/".join(parts[kind:])


def _who(actor: Json) -> str:
    """Who did something: a user whom admission wrote down, else the names that clients give themselves."""
    user, managers = actor.get("requestedBy", ""), actor.get("managers", ())
    return str(user) or (f"field manager {', '.join(managers)}" if managers else "")


def _facets(event: Json | None) -> Json:
    facets: Json = event["run"].get("facets", {}) if event else {}
    return facets


def _time_ms(record: Record) -> int | None:
    try:
        return decode_leaf(record.leaf or b"").time_ms
    except ValueError:
        return None
