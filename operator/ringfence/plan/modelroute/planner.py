"""ModelRoute: judged against its Tenant, kept as revisions, and placed in environments.

Law: a route keeps what it was and says where that serves; the gateway that serves it is its Tenant's.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ringfence.model.modelroute import ModelRouteSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import references, timers, verdict
from ringfence.plan.children import route_revision
from ringfence.plan.gateway.backend import authority_of
from ringfence.plan.gateway.targets import resolved
from ringfence.plan.modelroute import gates, report
from ringfence.plan.modelroute.history import History, Kept, left_behind, of_route, surplus
from ringfence.plan.modelroute.placement import Placement, Placements, placements
from ringfence.plan.modelroute.report import Witness
from ringfence.plan.ownership import owns
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired, Finding, Plan, Stage
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Authority, Seen


@dataclass(frozen=True, slots=True)
class _Route:
    """A route that can be judged, beside what it is judged by."""

    subject: Subject[ModelRouteSpec]
    spec: ModelRouteSpec
    owner: Subject[TenantSpec]
    tenant: TenantSpec
    seen: Seen


def plan_route(route: Subject[ModelRouteSpec], seen: Seen) -> Plan:
    """The plan for one ModelRoute: its revisions, its status and its conditions."""
    owner = seen.tenant
    if route.spec is None or owner is None or owner.spec is None:
        found = references.unreadable(route, seen)
        plan = Plan(conditions=verdict.refused(found), findings=found)
    else:
        plan = _judged(_Route(route, route.spec, owner, owner.spec, seen))
    return replace(plan, tenant=route.ref.namespace if owner else "", log=owner.meta.uid if owner else "platform")


def _judged(route: _Route) -> Plan:
    seen, name = route.seen, route.subject.name
    history = of_route(name, route.subject.meta.uid, seen.live)
    placed = placements(route.subject, route.tenant, history, seen.facts.enforcement)
    kept = _with_current(history, placed)
    since = {each.environment: _since(each, kept, seen.now) for each in placed.served}
    witness = Witness.of(route.subject, seen, _seen_before(placed, kept))
    environments = report.entries(placed.served, since, witness)
    findings = _findings(route, placed, report.unseen(environments, witness))
    return Plan(
        conditions=verdict.conditions(findings, ready=_ready(placed), asserted=_ACCEPTED),
        stages=_stages(route, tuple(_marked(route, kept, placed, since, environments)), placed)
        if _may_write(route)
        else (),
        findings=findings,
        placed=tuple(placed.told(route.subject)),
        status=report.status(placed.current.name if placed.current else "", environments, witness),
        questions=_questions(route),
        repair=timers.paused_until((route.owner.meta,), seen.now) is None,
    )


# --- what was found

_ACCEPTED = {ConditionType.ACCEPTED: (Reason.RESOLVED, "everything that is referenced is granted")}


def _findings(route: _Route, placed: Placements, unseen: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each once: what is wrong with the spec is wrong with its revision, too."""
    found = [
        *gates.failures(route.subject, route.spec, route.tenant, route.seen),
        *placed.findings,
        *(finding for each in placed.served for finding in _resolved(route, each)),
    ]
    served = [] if route.tenant.gateway.data_plane == "None" else unseen
    return tuple(dict.fromkeys((*found, *_no_gateway(route), *served)))


def _resolved(route: _Route, placement: Placement) -> tuple[Finding, ...]:
    return resolved(route.subject.name, placement, route.owner, route.tenant, route.seen).findings


def _no_gateway(route: _Route) -> Iterable[Finding]:
    if route.tenant.gateway.data_plane == "None":
        yield Finding(Reason.NO_GATEWAY, f"Tenant {route.owner.name} has no gateway: spec.gateway.dataPlane is None")


def _questions(route: _Route) -> tuple[Authority, ...]:
    asked = (authority_of(route.owner.name, provider) for provider in route.tenant.providers)
    return tuple(sorted(question for question in asked if question is not None))


def _ready(placed: Placements) -> str:
    return "served: " + ", ".join(f"{each.environment} {each.revision}" for each in placed.served)


# --- what is kept


def _with_current(history: History, placed: Placements) -> History:
    """The history, and the revision of the spec with the next number where it is new."""
    if placed.current is None or placed.current.name in history:
        return history
    number = 1 + max((each.number for each in history.values()), default=0)
    return {**history, placed.current.name: Kept(placed.current.name, placed.current, number)}


def _since(placement: Placement, kept: History, now: datetime) -> str:
    """Since when the environment serves that revision: now, where it did not."""
    before = kept[placement.revision].serves.get(placement.environment)
    return before or now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seen_before(placed: Placements, kept: History) -> frozenset[str]:
    """Environments that were seen to serve what they serve since it is there, not at some earlier time."""
    marks = {each.environment: kept[each.revision] for each in placed.served}
    return frozenset(name for name, each in marks.items() if each.serves.get(name, "never") == each.served.get(name))


def _marked(
    route: _Route,
    kept: History,
    placed: Placements,
    since: Mapping[str, str],
    environments: Iterable[Mapping[str, str]],
) -> Iterator[Kept]:
    """The revisions with where each serves now, by whose word, and where it was seen to."""
    seen = {each["name"] for each in environments if each["served"] == "True"}
    protected = {each.name for each in route.tenant.environments if each.protected}
    for each in kept.values():
        mine = {place.environment: place for place in placed.served if place.revision == each.name}
        serves = {name: since[name] for name in mine}
        served = {name: time for name, time in serves.items() if name in seen}
        approved = {name: place.approved_by for name, place in mine.items() if name in protected}
        yield replace(each, serves=serves, served={**each.served, **served}, approved=approved)


def _may_write(route: _Route) -> bool:
    """Whether the home namespace is the tenant's: in somebody else's nothing is kept."""
    home = route.seen.cores.get(route.owner.name)
    ours = owns(home, route.owner.name, route.owner.meta.uid)
    return ours and home is not None and not home.deleting and not route.owner.meta.deleting


def _stages(route: _Route, kept: tuple[Kept, ...], placed: Placements) -> tuple[Stage, ...]:
    name, uid = route.subject.name, route.subject.meta.uid
    needed = {*placed.revisions.values(), *route.spec.promotions.values()}
    spare = {each.name for each in surplus({each.name: each for each in kept}, needed)}
    home = Place.home(route.owner.name, route.owner.meta.uid)
    wanted = {each.name: route_revision.make(home, name, uid, each) for each in kept}
    stays = _in_order(wanted[name] for name in wanted if name not in spare)
    former = set(left_behind(name, uid, route.seen.live)) - {child.ref for child in stays}
    gone = former.union(wanted[name].ref for name in spare)
    stages = (Stage("history", apply=stays), Stage("remove", delete=tuple(sorted(gone))))
    return tuple(stage for stage in stages if stage.apply or stage.delete)


def _in_order(children: Iterable[Desired]) -> tuple[Desired, ...]:
    return tuple(sorted(children, key=lambda child: child.ref))
