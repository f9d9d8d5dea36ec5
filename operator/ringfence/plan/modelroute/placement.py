"""What each environment of a route serves.

Law: a revision goes down the list of environments one by one. It serves in one only after it was seen to serve in the
one before, in a protected one only after somebody else than the promoter approved it; until then the old one serves.
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
from ringfence.plan.modelroute.history import History, serving_in
from ringfence.plan.modelroute.revision import RouteRevision, revision_of
from ringfence.plan.plan import Finding, Placed
from ringfence.plan.reasons import Reason


@dataclass(frozen=True, slots=True)
class Placement:
    """One environment of a route."""

    environment: str
    revision: str
    """The revision's name."""
    content: RouteRevision
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
        approvals = route.spec.approvals if route.spec else ()
        for each in self.served:
            new = each.awaits is None
            approvers = (
                a.by or "" for a in approvals if (a.environment, a.revision) == (each.environment, each.revision)
            )
            yield Placed(
                each.environment,
                each.revision,
                promoted_by=promoter_to(each.environment, route) if new else "",
                approved_by=next(approvers, "") if new else "",
            )


@dataclass(frozen=True, slots=True)
class Promotion:
    """A revision on its way to an environment."""

    route: Subject[ModelRouteSpec]
    spec: ModelRouteSpec
    history: History
    revision: str
    environment: Environment
    before: str
    """The environment before it."""
    enforcement: Enforcement


Gate: TypeAlias = Callable[[Promotion], Finding | None]


def placements(
    route: Subject[ModelRouteSpec], tenant: TenantSpec, history: History, enforcement: Enforcement
) -> Placements:
    """Where which revision of ``route`` is to serve. A route that breaks a rule of its kind serves nowhere."""
    if route.spec is None or route.meta.deleting:
        return Placements(None)
    current = revision_of(route.ref.namespace, route.spec, tenant)
    first = tenant.environments[0].name
    served = [Placement(first, current.name, current)] if current else []
    findings: list[Finding] = []
    for promotion in _promotions(route, route.spec, tenant, history, enforcement):
        waits = _not_yet(promotion)
        old = serving_in(promotion.environment.name, history)
        serves = history.get(promotion.revision) if waits is None else old
        if serves:
            served.append(Placement(promotion.environment.name, serves.name, serves.content, waits))
        findings += [waits] if waits else []
    return Placements(current, tuple(served), tuple(findings))


def _promotions(
    route: Subject[ModelRouteSpec],
    spec: ModelRouteSpec,
    tenant: TenantSpec,
    history: History,
    enforcement: Enforcement,
) -> Iterator[Promotion]:
    """Promotions to environments that something can be promoted to, in their order."""
    for before, environment in zip(tenant.environments, tenant.environments[1:], strict=False):
        if revision := spec.promotions.get(environment.name):
            yield Promotion(route, spec, history, revision, environment, before.name, enforcement)


def _not_yet(promotion: Promotion) -> Finding | None:
    """Why the promoted revision doesn't serve yet. What serves already is not judged again: it is no promotion."""
    old = serving_in(promotion.environment.name, promotion.history)
    if old is not None and old.name == promotion.revision:
        return None
    return next((finding for gate in GATES if (finding := gate(promotion)) is not None), None)


def revision_is_kept(promotion: Promotion) -> Finding | None:
    """Its content is known: it was the spec of this route."""
    if promotion.revision in promotion.history:
        return None
    message = f"this route has no {promotion.revision}; `ringfence trace` lists those that it had"
    return Finding(Reason.UNKNOWN_REVISION, _to(promotion, message))


def served_before(promotion: Promotion) -> Finding | None:
    """It was seen to serve in the environment before."""
    if promotion.before in promotion.history[promotion.revision].served:
        return None
    message = f"{promotion.revision} was not seen to serve in {promotion.before} yet"
    return Finding(Reason.NOT_SERVED_BEFORE, _to(promotion, message))


def policies_are_in_force(promotion: Promotion) -> Finding | None:
    """Who promoted and who approved is as good as the policies that see to it."""
    if not promotion.environment.protected:
        return None
    return verdict.closed(f"protected environment {promotion.environment.name}", promotion.enforcement)


def approved_by_another(promotion: Promotion) -> Finding | None:
    """In a protected environment two persons stand for it; who isn't known is nobody."""
    name = promotion.environment.name
    promoter = promoter_to(name, promotion.route)
    asked = [
        each for each in promotion.spec.approvals if (each.environment, each.revision) == (name, promotion.revision)
    ]
    if not promotion.environment.protected or (promoter and any(_is_another(each.by, promoter) for each in asked)):
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


def _is_another(approver: str | None, promoter: str) -> bool:
    return bool(approver) and approver != promoter and not str(approver).startswith("system:")


def _to(promotion: Promotion, message: str) -> str:
    return f"environment {promotion.environment.name}: {message}"
