"""Legal holds: one asks for the release, another releases.

Law: what the definition's own rules can't see is judged here: who asks, and that a policy with a hold never goes. A
hold never changes and is never removed without a request: the definition's rules say so.
"""

from typing import Final

from ringfence.admission.cel import ME, NOT_COLLECTED, STEPPED_UP, YOURS
from ringfence.admission.policy import CHANGE, Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, RETENTION_POLICY

_RESOURCES: Final = (Resources(GROUP, (RETENTION_POLICY.plural,), CHANGE),)
_HOLDS: Final = (
    Expression("before", "oldObject == null ? [] : oldObject.spec.?legalHolds.orValue([])"),
    Expression("after", "object == null ? [] : object.spec.?legalHolds.orValue([])"),
    Expression("gone", "variables.before.filter(h, !variables.after.exists(n, n.name == h.name))"),
)
_HELD_OTHERWISE: Final = (
    "object.spec.?legalHolds.orValue([]) != (oldObject == null ? [] : oldObject.spec.?legalHolds.orValue([]))"
)
_ASKED_BY: Final = "h.?release.?requestedBy.orValue('')"

HOLDS: Final = Policy(
    name="ringfence-holds",
    about="A legal hold is released by two persons, and its policy is not deleted.",
    resources=_RESOURCES,
    everywhere=True,
    unless=(NOT_COLLECTED, Expression("ends-or-holds-otherwise", f"object == null || {_HELD_OTHERWISE}")),
    variables=_HOLDS,
    validations=(
        Validation(
            "hold-policy-deletion",
            (Threat.TAMPERED_RECORDS, Threat.MASS_DELETION),
            "object != null || variables.before.size() == 0",
            "a legal hold stands; have it released first",
        ),
        Validation(
            "hold-second-person",
            (Threat.TAMPERED_RECORDS, Threat.FORGED_AUTHORS),
            f"object == null || variables.gone.all(h, !({_ASKED_BY} in ['', {ME}]))",
            "whoever asked for the release can't release it; ask somebody else",
        ),
        Validation(
            "hold-right",
            (Threat.TAMPERED_RECORDS,),
            f"""
            object == null || variables.gone.size() == 0 || authorizer.group('{GROUP}')
              .resource('{RETENTION_POLICY.plural}').namespace(request.namespace).name(object.metadata.name)
              .check('release').allowed()
            """,
            "a release needs the verb release on retentionpolicies",
        ),
        Validation(
            "hold-person",
            (Threat.TAMPERED_RECORDS, Threat.WILDCARD_ROLES),
            f"object == null || variables.gone.size() == 0 || !{ME}.startsWith('system:')",
            "a person releases, never a ServiceAccount",
        ),
        Validation(
            "hold-release-author",
            (Threat.FORGED_AUTHORS,),
            f"""
            variables.after.all(h, !has(h.release) || {_ASKED_BY} == {ME}
              || variables.before.exists(o, o.name == h.name && has(o.release) && o.release == h.release))
            """,
            f"release.requestedBy is whoever asks: {YOURS}",
            ME,
        ),
        Validation(
            "hold-born-released",
            (Threat.TAMPERED_RECORDS,),
            "variables.after.all(h, !has(h.release) || variables.before.exists(o, o.name == h.name))",
            "a new hold can't be born with its release",
        ),
    ),
)

RELEASES: Final = Policy(
    name="ringfence-hold-sign-in",
    about="A legal hold is released with a strong sign-in, where the Tenant asks for it.",
    resources=(Resources(GROUP, (RETENTION_POLICY.plural,)),),
    unless=(Expression("holds-otherwise", _HELD_OTHERWISE),),
    missing="Allow",
    variables=_HOLDS,
    validations=(
        Validation(
            "hold-step-up",
            (Threat.TAMPERED_RECORDS,),
            f"variables.gone.size() == 0 || {STEPPED_UP}",
            "sign in more strongly to release a hold; see the Tenant's spec.access.stepUp",
        ),
    ),
)

POLICIES: Final = (HOLDS, RELEASES)
