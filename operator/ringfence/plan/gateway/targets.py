"""Where the requests of one route go to in one environment.

Law: a pool has only backends that may be used there today; a fallback is no way around the platform team.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ringfence.gateway.served import IDLE_TIMEOUT, MAX_REQUEST_BYTES, TIMEOUT, Limits, Route, Target, Upstream
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.gateway.approval import approved
from ringfence.plan.gateway.backend import Approved
from ringfence.plan.modelroute.placement import Placement
from ringfence.plan.modelroute.revision import PinnedBackend, PinnedLimits
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Seen


@dataclass(frozen=True, slots=True)
class Resolved:
    """A placement as it can be served."""

    route: Route | None
    """None where no backend may be used."""
    upstreams: Mapping[str, Upstream] = field(default_factory=dict)
    """Those of its targets, by name."""
    findings: tuple[Finding, ...] = ()


def resolved(name: str, placement: Placement, tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> Resolved:
    """What ModelRoute ``name`` is in that environment."""
    judged = [approved(tenant, spec, placement.environment, each, seen) for each in placement.content.backends]
    findings = tuple(each for each in judged if isinstance(each, Finding))
    usable = [(each.backend, each.upstream) for each in judged if isinstance(each, Approved) and each.is_asked_for]
    if not usable:
        return Resolved(None, findings=(*findings, _nothing(placement)))
    route = Route(
        name=name,
        model=placement.content.model,
        revision=placement.revision,
        pools=_pools(usable),
        limits=_limits(placement.content.limits, most_bytes(spec)),
        environment=placement.environment,
    )
    return Resolved(route, {upstream.name: upstream for _, upstream in usable}, findings)


def most_bytes(spec: TenantSpec) -> int:
    """The greatest body of any request of the tenant."""
    size = spec.gateway.max_request_bytes
    return size.rounded_up if size else MAX_REQUEST_BYTES


def _pools(targets: Sequence[tuple[PinnedBackend, Upstream]]) -> tuple[tuple[Target, ...], ...]:
    """By priority; a revision's backends are in that order."""
    return tuple(
        tuple(Target(upstream.name, backend.model, backend.weight) for backend, upstream in pool)
        for _, pool in groupby(targets, key=lambda each: each[0].priority)
    )


def _limits(pinned: PinnedLimits, most: int) -> Limits:
    """A route narrows what the tenant allows, and never widens it."""
    return Limits(
        requests_per_minute=pinned.requests_per_minute,
        tokens_per_minute=pinned.tokens_per_minute,
        max_request_bytes=min(pinned.max_request_bytes or most, most),
        timeout=pinned.timeout or TIMEOUT,
        idle_timeout=pinned.idle_timeout or IDLE_TIMEOUT,
        max_parallel=pinned.max_parallel,
    )


def _nothing(placement: Placement) -> Finding:
    message = f"environment {placement.environment}: no backend of {placement.revision} may be used there"
    return Finding(Reason.NOTHING_TO_SERVE, message, ConditionType.ACCEPTED)
