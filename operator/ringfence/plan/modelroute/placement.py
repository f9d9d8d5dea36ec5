"""What each environment of a route serves.

Law: a revision goes down the list of environments one by one. It serves in one only after it was seen to serve in the
one before, in a protected one only after somebody else than the promoter approved it; until then the old one serves, if
somebody approved that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from ringfence import names
from ringfence.model.modelroute import ModelRouteSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import Environment, TenantSpec
from ringfence.plan import verdict
from ringfence.plan.enforcement import Enforcement
from ringfence.plan.modelroute.history import History, Kept, serving_in
from ringfence.plan.modelroute.revision import RouteRevision, revision_of
from ringfence.plan.modelroute.steps import Step, following, steps
from ringfence.plan.plan import Finding, Placed
from ringfence.plan.reasons import Reason


@dataclass(frozen=True, slots=True)
class Placement:
    """One environment of a route."""

    environment: str
    revision: str
    """The revision's name."""
    content: RouteRevision
    approved_by: str = ""
    """The second person, where the environment is protected."""
    awaits: Finding | None = None
    """Why it isn't the revision that was promoted."""


@dataclass(frozen=True, slots=True)
class Placements:
    """All environments that a route serves, and those that wait for their first revision."""

    current: RouteRevision | None
    """The revision of the spec."""
    served: tuple[Placement, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def revisions(self) -> dict[str, str]:
        """Names of the revisions by environment."""
        return {each.environment: each.revision for each in self.served}

    def told(self, route: Subject[ModelRouteSpec]) -> Iterator[Placed]:
        """Who stands for what serves; of an old revision that serves on, the record already tells."""
        for each in self.served:
            new = each.awaits is None
            yield Placed(
                each.environment,
                each.revision,
                promoted_by=promoter_to(each.environment, route) if new else "",
                approved_by=each.approved_by if new else "",
            )


@dataclass(frozen=True, slots=True)
class Promotion:
    """A revision on its way to an environment."""

    route: Subject[ModelRouteSpec]
    spec: ModelRouteSpec
    history: History
    revision: str
    step: Step[Environment]
    enforcement: Enforcement

    @property
    def environment(self) -> Environment:
        """Where it is to serve."""
        return self.step.environment

    @property
    def standing(self) -> Kept | None:
        """What the environment may go on serving: what was put there last, in a protected one by two persons."""
        last = serving_in(self.environment.name, self.history)
        return last if last and (not self.environment.protected or self.environment.name in last.approved) else None

    @property
    def second_person(self) -> str:
        """Who approved it and did not promote it; empty where nobody did, or nobody knows who promoted it."""
        name = self.environment.name
        promoter = promoter_to(name, self.route)
        asked = (a.by for a in self.spec.approvals if (a.environment, a.revision) == (name, self.revision))
        return next((by for by in asked if promoter and by and _is_another(by, promoter)), "")


Gate: TypeAlias = Callable[[Promotion], Finding | None]


def placements(
    route: Subject[ModelRouteSpec], tenant: TenantSpec, history: History, enforcement: Enforcement
) -> Placements:
    """Where which revision of ``route`` is to serve. A route that breaks a rule of its kind serves nowhere."""
    if route.spec is None or route.meta.deleting:
        return Placements(None)
    current = revision_of(route.ref.namespace, route.spec, tenant)
    first = following(tenant.environments)
    served = [Placement(first.name, current.name, current)] if current and first else []
    findings = list(_nothing_promoted(route, route.spec, tenant, current)) if current else []
    for promotion in _promotions(route, route.spec, tenant, history, enforcement):
        waits = _not_yet(promotion)
        served += _placed(promotion, waits)
        findings += [waits] if waits else []
    return Placements(current, tuple(served), tuple(findings))


def _nothing_promoted(
    route: Subject[ModelRouteSpec], spec: ModelRouteSpec, tenant: TenantSpec, current: RouteRevision
) -> Iterator[Finding]:
    """A protected first environment serves no route that is only written."""
    first = tenant.environments[0].name
    if following(tenant.environments) is None and first not in spec.promotions:
        message = (
            f"environment {first}: it is protected and follows no spec; promote {current.name}: "
            f"`ringfence promote {route.name} --to {first} --tenant {route.ref.namespace}`"
        )
        yield Finding(Reason.AWAITING_PROMOTION, message)


def _promotions(
    route: Subject[ModelRouteSpec],
    spec: ModelRouteSpec,
    tenant: TenantSpec,
    history: History,
    enforcement: Enforcement,
) -> Iterator[Promotion]:
    """Promotions to environments that something can be promoted to, in their order."""
    for step in steps(tenant.environments):
        if revision := spec.promotions.get(step.environment.name):
            yield Promotion(route, spec, history, revision, step, enforcement)


def _not_yet(promotion: Promotion) -> Finding | None:
    """Why the promoted revision doesn't serve yet. What serves already is not judged again: it is no promotion."""
    standing = promotion.standing
    if standing is not None and standing.name == promotion.revision:
        return None
    return next((finding for gate in GATES if (finding := gate(promotion)) is not None), None)


def _placed(promotion: Promotion, waits: Finding | None) -> Iterator[Placement]:
    """What the environment serves: what was promoted, or what stands there while that waits."""
    name, standing = promotion.environment.name, promotion.standing
    serves = standing if waits else promotion.history[promotion.revision]
    if serves is not None:
        stood = serves.approved.get(name, "") if serves == standing else ""
        word = stood if stood or waits else promotion.second_person
        yield Placement(name, serves.name, serves.content, word, waits)


def revision_is_kept(promotion: Promotion) -> Finding | None:
    """Its content is known: it was the spec of this route."""
    if promotion.revision in promotion.history:
        return None
    message = f"this route has no {promotion.revision}; `ringfence trace` lists those that it had"
    return Finding(Reason.UNKNOWN_REVISION, _to(promotion, message))


def served_before(promotion: Promotion) -> Finding | None:
    """It was seen to serve in the environment before, where there is one."""
    before = promotion.step.before
    if before is None or before.name in promotion.history[promotion.revision].served:
        return None
    message = f"{promotion.revision} was not seen to serve in {before.name} yet"
    return Finding(Reason.NOT_SERVED_BEFORE, _to(promotion, message))


def policies_are_in_force(promotion: Promotion) -> Finding | None:
    """Who promoted and who approved is as good as the policies that see to it."""
    if not promotion.environment.protected:
        return None
    return verdict.closed(f"protected environment {promotion.environment.name}", promotion.enforcement)


def approved_by_another(promotion: Promotion) -> Finding | None:
    """In a protected environment two persons stand for it; who isn't known is nobody."""
    name = promotion.environment.name
    if not promotion.environment.protected or promotion.second_person:
        return None
    message = (
        f"{promotion.revision} waits for an approval by somebody else than its promoter: "
        f"`ringfence approve {promotion.route.name} --environment {name} --tenant {promotion.route.ref.namespace}`"
    )
    return Finding(Reason.AWAITING_APPROVAL, _to(promotion, message))


GATES: Final[tuple[Gate, ...]] = (revision_is_kept, served_before, policies_are_in_force, approved_by_another)


def promoter_to(environment: str, route: Subject[ModelRouteSpec]) -> str:
    """Who promoted what is promoted to an environment, as admission noted; empty where nobody did or nobody noted."""
    return route.meta.annotations.get(f"{names.PROMOTED_BY_PREFIX}{environment}", "")


def _is_another(approver: str, promoter: str) -> bool:
    return approver != promoter and not approver.startswith("system:")


def _to(promotion: Promotion, message: str) -> str:
    return f"environment {promotion.environment.name}: {message}"
