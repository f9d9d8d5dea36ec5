"""Whether a gateway serves what was rendered for it: what somebody saw who asked it, and nothing else.

Law: ready means served. What nobody saw is Unknown, however well the objects stand.
"""

from typing import Literal

from ringfence.plan.gateway.rendering import Rendering
from ringfence.plan.plan import Condition
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Probed, Seen


def witnessed(rendering: Rendering, seen: Seen, *, quarantined: bool) -> Condition:
    """The condition GatewayReady."""
    if quarantined:
        return _condition("False", Reason.QUARANTINED, "an incident is declared: no replica of the gateway runs")
    if refused := [each for each in rendering.findings if each.reason is Reason.CONFIGURATION_REFUSED]:
        return _condition("False", Reason.CONFIGURATION_REFUSED, refused[0].message)
    if not rendering.revision:
        return _condition("Unknown", Reason.GATEWAY_STARTING, _lacking(seen))
    return _of(seen.probed, rendering.revision)


def _of(probed: Probed | None, revision: str) -> Condition:
    if probed is None:
        return _condition("Unknown", Reason.GATEWAY_UNSEEN, f"nobody looked yet whether revision {revision} is served")
    if not probed.reachable:
        message = f"not every replica could be reached: {probed.problem or 'no answer'}"
        return _condition("Unknown", Reason.GATEWAY_UNSEEN, message)
    if probed.problem:
        return _condition("False", Reason.GATEWAY_FAILS, probed.problem)
    if probed.revision != revision:
        found = f"revision {probed.revision}" if probed.revision else "different revisions"
        return _condition("False", Reason.GATEWAY_BEHIND, f"the replicas serve {found}; {revision} is on its way")
    return _condition("True", Reason.GATEWAY_SERVES, f"every replica serves revision {revision}")


def _lacking(seen: Seen) -> str:
    if seen.facts.issuer is None:
        return "the API server has not told yet who signs the tokens of callers"
    return "the authorities of the tenant's own frontends were not read yet"


def _condition(status: Literal["True", "False", "Unknown"], reason: Reason, message: str) -> Condition:
    return Condition(ConditionType.GATEWAY_READY, status, reason, message)
