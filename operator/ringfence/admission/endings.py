"""The end of a tenant, and of an incident: one person asks, another acts.

Law: a Tenant is deleted, and a Tenant or Namespace leaves quarantine, by somebody else than whoever confirmed it; while
an incident lasts nothing is deleted.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import (
    ME,
    NOT_COLLECTED,
    NOT_OPERATOR,
    RESOURCE,
    SERVICE_ACCOUNT,
    STEPPED_UP,
    YOURS,
    annotations,
    noted_otherwise,
    value,
)
from ringfence.admission.policy import CHANGE, Expression, Policy, Resources, Validation
from ringfence.admission.stamps import STAMPED, stamped
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, MODEL_ROUTE, NAMESPACE, RETENTION_POLICY, TENANT
from ringfence.plan.confirmations import DELETE, RELEASE, Confirmation

_OF_TENANT: Final = f"{RESOURCE} == '{TENANT.plural}'"
_NAME: Final = "oldObject.metadata.name"
_OLD_STEP_UP: Final = "oldObject.spec.?access.?stepUp"
_QUARANTINED: Final = "{}.?spec.?isolation.orValue('') == 'Quarantined'"


_ISOLATION_CHANGED: Final = (
    f"({RESOURCE} == '{NAMESPACE.plural}' && oldObject != null "
    "&& object.spec.?isolation.orValue('') != oldObject.spec.?isolation.orValue(''))"
)


def _asks(wish: str) -> str:
    return f"one person sets annotation {wish} to the object's name, another acts"


def _of_this_state(confirmation: Confirmation) -> str:
    """Whether the object is as it was when it was confirmed: whatever changes its spec counts its generation up."""
    confirmed = value("variables.old", confirmation.generation)
    unconfirmed = f"{value('variables.old', confirmation.wish)} == ''"
    return f"{unconfirmed} || {confirmed} == string(oldObject.metadata.generation)"


TWO_PERSONS: Final = Policy(
    name="ringfence-two-persons",
    about="Deleting a Tenant, and leaving quarantine, takes two persons.",
    resources=(Resources(GROUP, (NAMESPACE.plural, TENANT.plural), CHANGE),),
    everywhere=True,
    unless=(
        NOT_COLLECTED,
        Expression(
            "ends-or-confirms",
            f"object == null || {noted_otherwise((f'{GROUP}/confirm-', f'{GROUP}/paused-'))} || (oldObject != null"
            f" && {_QUARANTINED.format('oldObject')} && !({_QUARANTINED.format('object')}))",
        ),
    ),
    variables=(
        Expression("new", annotations("object")),
        Expression("old", annotations("oldObject")),
        Expression("removal", f"object == null && {_OF_TENANT}"),
        Expression("before", f"oldObject != null && {_QUARANTINED.format('oldObject')}"),
        Expression("release", f"variables.before && object != null && !({_QUARANTINED.format('object')})"),
    ),
    validations=(
        Validation(
            "removal-confirmed",
            (Threat.MASS_DELETION,),
            f"!variables.removal || {value('variables.old', names.CONFIRM_DELETE_ANNOTATION)} == {_NAME}",
            _asks(names.CONFIRM_DELETE_ANNOTATION),
        ),
        Validation(
            "removal-stale",
            (Threat.MASS_DELETION, Threat.FORGED_AUTHORS),
            f"!variables.removal || has(oldObject.metadata.deletionTimestamp) || {_of_this_state(DELETE)}",
            "it changed since its deletion was confirmed; take the confirmation off and have it confirmed anew",
        ),
        Validation(
            "removal-second-person",
            (Threat.MASS_DELETION, Threat.FORGED_AUTHORS),
            f"!variables.removal || {value('variables.old', names.CONFIRM_DELETE_BY_ANNOTATION)} != {ME}",
            "whoever confirmed the deletion can't delete it; ask somebody else",
        ),
        Validation(
            "removal-step-up",
            (Threat.MASS_DELETION,),
            f"""
            !variables.removal || !{_OLD_STEP_UP}.hasValue()
              || request.userInfo.?extra[?oldObject.spec.access.stepUp.extraKey].orValue([])
                .exists(v, v in oldObject.spec.access.stepUp.values)
            """,
            "sign in more strongly to delete a Tenant; see its spec.access.stepUp",
        ),
        Validation(
            "removal-frozen",
            (Threat.TAMPERED_RECORDS, Threat.MASS_DELETION),
            "object != null || !variables.before",
            "it is quarantined: nothing is deleted during an incident",
        ),
        Validation(
            "release-confirmed",
            (Threat.FORGED_AUTHORS,),
            f"!variables.release || {value('variables.old', names.CONFIRM_RELEASE_ANNOTATION)} == {_NAME}",
            _asks(names.CONFIRM_RELEASE_ANNOTATION),
        ),
        Validation(
            "release-stale",
            (Threat.FORGED_AUTHORS,),
            f"!variables.release || {_of_this_state(RELEASE)}",
            "it changed since its release was confirmed; take the confirmation off and have it confirmed anew",
        ),
        Validation(
            "release-second-person",
            (Threat.FORGED_AUTHORS,),
            f"!variables.release || {value('variables.old', names.CONFIRM_RELEASE_BY_ANNOTATION)} != {ME}",
            "whoever confirmed the release can't release it; ask somebody else",
        ),
        Validation(
            "end-person",
            (Threat.FORGED_AUTHORS, Threat.WILDCARD_ROLES),
            f"""
            !(variables.removal || variables.release) || !{SERVICE_ACCOUNT}
              || !(variables.removal ? {value("variables.old", DELETE.by)} : {value("variables.old", RELEASE.by)})
                .startsWith('system:serviceaccount:')
            """,
            "one of the two is a person: two ServiceAccounts may apply what one wrote",
        ),
        Validation(
            "release-right",
            (Threat.FORGED_AUTHORS,),
            f"""
            !variables.release || authorizer.group('{GROUP}').resource({RESOURCE})
              .namespace(request.?namespace.orValue('')).name({_NAME}).check('release').allowed()
            """,
            "leaving quarantine needs the verb release on tenants, or on tenantnamespaces for one Namespace",
        ),
        Validation(
            "confirmation-stamp",
            (Threat.FORGED_AUTHORS,),
            "object == null || ("
            + " && ".join(
                f"{value('variables.new', stamp)} == {stamped(wish, stamp, now)}" for wish, stamp, now in STAMPED
            )
            + ")",
            f"who confirmed or paused, and of which generation, is written by the API server: {YOURS}",
            ME,
        ),
    ),
)

FROZEN: Final = Policy(
    name="ringfence-incidents",
    about="No object of ours and no data of a quarantined tenant are deleted; Namespaces end with a strong sign-in, "
    "where the Tenant asks.",
    resources=(
        Resources(GROUP, (NAMESPACE.plural,), CHANGE),
        Resources(GROUP, (MODEL_ROUTE.plural, RETENTION_POLICY.plural), ("DELETE",)),
        # Data, not workloads: whoever contains an incident may have to stop a pod or take a leaked Secret away.
        Resources("", ("configmaps", "persistentvolumeclaims"), ("DELETE",)),
    ),
    unless=(
        NOT_COLLECTED,
        NOT_OPERATOR,
        Expression("ends-or-changes-isolation", f"object == null || {_ISOLATION_CHANGED}"),
    ),
    missing="Allow",
    validations=(
        Validation(
            "deletion-frozen",
            (Threat.TAMPERED_RECORDS,),
            "object != null || !params.spec.?quarantined.orValue(false)",
            "the tenant is quarantined: nothing is deleted during an incident",
        ),
        Validation(
            "namespace-step-up",
            (Threat.MASS_DELETION,),
            f"""
            {RESOURCE} != '{NAMESPACE.plural}' || {STEPPED_UP}
            """,
            "sign in more strongly to delete, quarantine or release a Namespace; see the Tenant's spec.access.stepUp",
        ),
    ),
)

POLICIES: Final = (TWO_PERSONS, FROZEN)
