"""What each environment of a route serves.

Law: a revision goes down the list of environments one by one. While it waits for one, the old revision serves there; in
a protected one, if two persons stood for that.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.model.modelroute import ModelRouteSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.enforcement import Enforcement
from ringfence.plan.modelroute.history import History
from ringfence.plan.modelroute.promotion import Promotion, not_yet, promoter_to
from ringfence.plan.modelroute.revision import RouteRevision, revision_of
from ringfence.plan.modelroute.steps import following, steps
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


def placements(
    route: Subject[ModelRouteSpec], tenant: TenantSpec, history: History, enforcement: Enforcement
) -> Placements:
    """Where which revision of ``route`` is to serve. A route that breaks a rule of its kind serves nowhere."""
    if route.spec is None or route.meta.deleting:
        return Placements(None)
    current = revision_of(route.ref.namespace, route.spec, tenant)
    findings = []
    if current and _is_taken(current, history):
        findings.append(_taken(current))
        history, current = {name: each for name, each in history.items() if name != current.name}, None
    first = following(tenant.environments)
    served = [Placement(first.name, current.name, current)] if current and first else []
    findings += _nothing_promoted(route, route.spec, tenant, current) if current else []
    for promotion in _promotions(route, route.spec, tenant, history, enforcement):
        waits = not_yet(promotion)
        served += _placed(promotion, waits)
        findings += [waits] if waits else []
    return Placements(current, tuple(served), tuple(findings))


def _is_taken(current: RouteRevision, history: History) -> bool:
    """Whether another content has its name: by no accident, and an approval of the one would be one of the other."""
    kept = history.get(current.name)
    return kept is not None and kept.content.canonical != current.canonical


def _taken(current: RouteRevision) -> Finding:
    message = (
        f"{current.name} is the name of another content that this route had, and neither serves under it; "
        "change the spec in anything, and remove approvals of that name"
    )
    return Finding(Reason.UNKNOWN_REVISION, message)


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


def _placed(promotion: Promotion, waits: Finding | None) -> Iterator[Placement]:
    """What the environment serves: what was promoted, or what stands there while that waits."""
    name, standing = promotion.environment.name, promotion.standing
    serves = standing if waits else promotion.history[promotion.revision]
    if serves is not None:
        stood = serves.approved.get(name, "") if serves == standing else ""
        word = stood if stood or waits else promotion.second_person
        yield Placement(name, serves.name, serves.content, word, waits)
