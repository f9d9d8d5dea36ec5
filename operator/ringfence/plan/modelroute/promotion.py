"""One revision on its way to one environment, and what keeps it from there.

Law: it serves there only after it was seen to serve in the environment before, and in a protected one only after
somebody else than its promoter approved it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ringfence import names
from ringfence.model.modelroute import ModelRouteSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import Environment
from ringfence.plan import verdict
from ringfence.plan.enforcement import Enforcement
from ringfence.plan.modelroute.history import History, Kept, serving_in
from ringfence.plan.modelroute.steps import Step
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import Reason


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


def not_yet(promotion: Promotion) -> Finding | None:
    """Why the promoted revision doesn't serve yet. What serves already is not judged again: it is no promotion."""
    standing = promotion.standing
    if standing is not None and standing.name == promotion.revision:
        return None
    return next((finding for gate in GATES if (finding := gate(promotion)) is not None), None)


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
