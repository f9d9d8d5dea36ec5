"""Core namespaces: whose they are is said by labels, and by nobody but Ringfence.

Law: whoever may create Tenants can hand a namespace to a tenant, by label and annotation together; every other label,
annotation, owner and finalizer of a tenant's namespace, and its end, belong to the operator.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import (
    GLASS_WHOLE,
    MAY_CREATE_TENANTS,
    NOT_OPERATOR,
    SUBRESOURCE,
    annotations,
    by_controllers,
    labels,
    value,
)
from ringfence.admission.policy import CHANGE, Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP
from ringfence.model.rules import cel_list
from ringfence.model.tenant_rules import RESERVED_NAMES

_OURS: Final = f"startsWith('{GROUP}/')"
_GUARDED_LABEL: Final = (
    f"(k.{_OURS} || (variables.managed && "
    f"(k.startsWith('pod-security.kubernetes.io/') || k == '{names.MANAGED_BY_LABEL}')))"
)
# The scheduler's plugins take node selectors and tolerations from a namespace's annotations.
_GUARDED_ANNOTATION: Final = f"(k.{_OURS} || (variables.managed && k.startsWith('scheduler.alpha.kubernetes.io/')))"
_UNCHANGED: Final = "k in variables.{0} && variables.{0}[k] == variables.{1}[k]"
_WISHES: Final = cel_list((names.ADOPT_ANNOTATION, names.BREAK_GLASS_ANNOTATION))


def _same(path: str) -> str:
    return f"object.{path}.orValue([]) == oldObject.{path}.orValue([])"


NAMESPACES: Final = Policy(
    name="ringfence-namespaces",
    about="The labels, annotations, owners and finalizers that make a namespace a tenant's are the operator's.",
    resources=(Resources("", ("namespaces", "namespaces/finalize", "namespaces/status"), CHANGE),),
    everywhere=True,
    unless=(
        NOT_OPERATOR,
        GLASS_WHOLE,
        Expression(
            "not-the-namespace-controller",
            f"!({by_controllers('namespace-controller')} && {SUBRESOURCE} in ['finalize', 'status'])",
        ),
        Expression(
            "concerns-ringfence",
            f"""
            [object, oldObject].exists(o, o != null && (o.metadata.name == '{names.OPERATOR_NAMESPACE}'
              || o.metadata.?labels.orValue({{}}).exists(k, k.{_OURS})
              || o.metadata.?annotations.orValue({{}}).exists(k, k.{_OURS})))
            """,
        ),
    ),
    variables=(
        Expression("oldLabels", labels("oldObject")),
        Expression("newLabels", labels("object")),
        Expression("oldNotes", annotations("oldObject")),
        Expression("newNotes", annotations("object")),
        Expression("managed", f"'{names.TENANT_LABEL}' in variables.oldLabels"),
        Expression(
            "claimed", f"object == null || variables.managed ? '' : {value('variables.newLabels', names.TENANT_LABEL)}"
        ),
    ),
    validations=(
        Validation(
            "namespace-claim-right",
            (Threat.TAKEN_NAMES, Threat.SPOOFED_LABELS),
            f"variables.claimed == '' || {MAY_CREATE_TENANTS}",
            "only who may create Tenants hands a namespace to one",
            cve=("CVE-2026-30963", "CVE-2026-55636"),
        ),
        Validation(
            "namespace-claim-request",
            (Threat.SPOOFED_LABELS,),
            f"variables.claimed == '' || {value('variables.newNotes', names.ADOPT_ANNOTATION)} == variables.claimed",
            f"label {names.TENANT_LABEL} needs annotation {names.ADOPT_ANNOTATION} with the same tenant",
        ),
        Validation(
            "namespace-claim-name",
            (Threat.TAKEN_NAMES, Threat.SQUATTED_NAMES),
            f"""
            variables.claimed == '' || (!(variables.claimed in {cel_list(RESERVED_NAMES)})
              && (object.metadata.name == variables.claimed
                || object.metadata.name.startsWith(variables.claimed + '-')))
            """,
            "the name is not one that this tenant can have",
            "object.metadata.name",
        ),
        Validation(
            "namespace-labels",
            (Threat.SPOOFED_LABELS, Threat.WILDCARD_ROLES),
            f"""
            object == null || (
              variables.newLabels.all(k, !{_GUARDED_LABEL} || ({_UNCHANGED.format("oldLabels", "newLabels")})
                || (k == '{names.TENANT_LABEL}' && variables.claimed != ''))
              && variables.oldLabels.all(k, !{_GUARDED_LABEL} || k in variables.newLabels))
            """,
            "the labels of a tenant's namespace belong to the operator; change the Tenant or the Namespace object",
            cve=("CVE-2026-30963", "CVE-2026-55636"),
        ),
        Validation(
            "namespace-annotations",
            (Threat.SPOOFED_LABELS,),
            f"""
            object == null || (
              variables.newNotes.all(k, !{_GUARDED_ANNOTATION} || ({_UNCHANGED.format("oldNotes", "newNotes")})
                || k == '{names.BREAK_GLASS_ANNOTATION}' || (k == '{names.ADOPT_ANNOTATION}' && (variables.claimed != ''
                || (variables.newNotes[k] == {value("variables.newLabels", names.TENANT_LABEL)}
                  && {MAY_CREATE_TENANTS}))))
              && variables.oldNotes.all(k, !{_GUARDED_ANNOTATION} || k in variables.newNotes || k in {_WISHES}))
            """,
            "these annotations of a namespace belong to the operator",
        ),
        Validation(
            "namespace-owners",
            (Threat.REMOVED_FENCE, Threat.FOREIGN_FINALIZERS),
            f"object == null || !variables.managed || {_same('metadata.?ownerReferences')}",
            "a tenant's namespace has no owner but its Tenant",
        ),
        Validation(
            "namespace-finalizers",
            (Threat.FOREIGN_FINALIZERS, Threat.ORDER_OF_DELETION),
            f"""
            object == null || !variables.managed
              || ({_same("metadata.?finalizers")} && {_same("?spec.?finalizers")})
            """,
            "finalizers of a tenant's namespace belong to the operator and to Kubernetes",
            cve=("CVE-2024-7598",),
        ),
        Validation(
            "namespace-deletion",
            (Threat.MASS_DELETION,),
            "object != null || !variables.managed",
            "a tenant's namespace goes with its Tenant or Namespace object; delete that",
        ),
        Validation(
            "namespace-of-the-operator",
            (Threat.MASS_DELETION, Threat.TAMPERED_RECORDS),
            f"object != null || oldObject.metadata.name != '{names.OPERATOR_NAMESPACE}'",
            "the operator's namespace holds the record of all tenants",
        ),
    ),
)

POLICIES: Final = (NAMESPACES,)
