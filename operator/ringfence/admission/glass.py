"""Breaking the glass: how somebody with the right to it passes by the fence, and how that is seen.

Law: the reason is written on the object itself, by a person who holds the verb ``bypass``; each request under it is
noted in the audit log. Stamps, approvals, holds and two-person rules have no glass to break.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import (
    GLASS_REASON,
    HOLDS_BYPASS,
    LIVING,
    ME,
    SERVICE_ACCOUNT,
    STEPPED_UP,
    annotations,
    value,
)
from ringfence.admission.policy import CHANGE, WRITE, Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, TENANT

_BEFORE: Final = value(annotations("oldObject"), names.BREAK_GLASS_ANNOTATION)
_AFTER: Final = value(annotations("object"), names.BREAK_GLASS_ANNOTATION)
SHORTEST_REASON: Final = 8
LONGEST_REASON: Final = 256

_UNINTERESTING: Final = (
    Resources("", ("events",), CHANGE),
    Resources("events.k8s.io", ("events",), CHANGE),
    Resources("coordination.k8s.io", ("leases",), CHANGE),
)


def _objects(operations: tuple[str, ...]) -> tuple[Resources, ...]:
    return (Resources("*", ("*",), operations, "Namespaced"),)


BREAK_GLASS: Final = Policy(
    name="ringfence-break-glass",
    about="Only a person with the verb bypass on guardrails breaks the glass, and says why.",
    resources=(
        *_objects(CHANGE),
        Resources("", ("namespaces",), CHANGE),
        Resources(GROUP, (TENANT.plural,), CHANGE),
    ),
    besides=_UNINTERESTING,
    unless=(Expression("glass-broken", f"{GLASS_REASON} != ''"),),
    variables=(Expression("breaks", f"{_AFTER} != '' && {_AFTER} != {_BEFORE}"),),
    validations=(
        Validation(
            "glass-right",
            (Threat.WILDCARD_ROLES,),
            f"!variables.breaks || {HOLDS_BYPASS}",
            f"annotation {names.BREAK_GLASS_ANNOTATION} needs the verb bypass on guardrails",
        ),
        Validation(
            "glass-person",
            (Threat.WILDCARD_ROLES,),
            f"!variables.breaks || !{SERVICE_ACCOUNT}",
            "a person breaks the glass, never a ServiceAccount: what it applies may be anybody's text",
        ),
        Validation(
            "glass-reason",
            (Threat.WILDCARD_ROLES,),
            f"!variables.breaks || ({_AFTER}.size() >= {SHORTEST_REASON} && {_AFTER}.size() <= {LONGEST_REASON})",
            f"say why, in {SHORTEST_REASON} to {LONGEST_REASON} characters",
        ),
    ),
    notes=(Expression("break-glass", f"{ME} + ': ' + {GLASS_REASON}"),),
)

SIGN_IN: Final = Policy(
    name="ringfence-break-glass-sign-in",
    about="The glass is broken with a strong sign-in, where the Tenant asks for it.",
    resources=_objects(WRITE),
    besides=_UNINTERESTING,
    unless=(LIVING, Expression("glass-breaks", f"{_AFTER} != '' && {_AFTER} != {_BEFORE}")),
    missing="Allow",
    validations=(
        Validation(
            "glass-step-up",
            (Threat.WILDCARD_ROLES,),
            STEPPED_UP,
            "sign in more strongly to break the glass; see the Tenant's spec.access.stepUp",
        ),
    ),
)

POLICIES: Final = (BREAK_GLASS, SIGN_IN)
