"""What a Namespace's status says.

Law: while repair is suspended nobody claims that the fence stands.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ringfence.plan import timers, verdict
from ringfence.plan.difference import difference
from ringfence.plan.namespace.desire import Desire
from ringfence.plan.namespace.site import Site
from ringfence.plan.plan import Condition, Desired, Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Seen


def pause(site: Site, seen: Seen) -> datetime | None:
    """Until when repair is suspended. An incident is stronger than a pause."""
    return None if site.quarantined else timers.paused_until((site.subject.meta, site.owner.meta), seen.now)


def conditions(site: Site, findings: Sequence[Finding], seen: Seen) -> tuple[Condition, ...]:
    """All conditions of a Namespace that is served."""
    core, until = site.place.core, pause(site, seen)
    refused = timers.refused_pause(site.subject.meta, seen.now)
    asserted = {
        ConditionType.ACCEPTED: (Reason.RESOLVED, "everything that is referenced is granted"),
        ConditionType.SECRETS_RESOLVED: (Reason.RESOLVED, "every secret reference points to something that exists"),
        ConditionType.BUDGET_EXCEEDED: (Reason.WITHIN_BUDGET, _within_budget(site)),
    }
    return verdict.conditions(
        findings,
        ready=f"namespace {core} is as wanted",
        asserted=asserted,
        others=(
            verdict.isolated(core, paused=until is not None, enforcement=seen.facts.enforcement),
            _rotation(site, seen),
            timers.paused(until, refused),
        ),
    )


def status(site: Site, desired: Desire, surplus: int, seen: Seen) -> dict[str, Any]:
    """What status says besides conditions. Drift is counted while it is not repaired; otherwise it does not last."""
    children = (*desired.fence, *desired.access)
    drifted = surplus + sum(_drifted(child, seen) for child in children) if pause(site, seen) else 0
    applied = 1 + len(children) - min(drifted, len(children))
    return {"coreNamespace": site.place.core, "children": {"applied": applied, "drifted": drifted}}


def _drifted(child: Desired, seen: Seen) -> bool:
    live = seen.live.get(child.ref)
    return live is None or bool(difference(child.manifest, live.content))


def _within_budget(site: Site) -> str:
    unasked = sorted(set(site.tenant.budget.hard) - set(site.spec.quota.hard))
    closed = f"; not asked for, therefore 0: {', '.join(unasked)}" if unasked else ""
    return f"the asked quota is granted{closed}"


def _rotation(site: Site, seen: Seen) -> Condition | None:
    due = (
        timers.Deadline(f"secret {each.name} is to be rotated every {each.rotate_every}; its age is unknown", None)
        for each in site.spec.secrets
        if each.rotate_every
    )
    return timers.due(ConditionType.ROTATION_DUE, due, seen.now)
