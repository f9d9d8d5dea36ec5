"""What the operator made, and what its kinds rest on.

Law: an object with the operator's label in a tenant's namespace is changed by the operator; controllers of Kubernetes
may tell its status and collect it.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import (
    GLASS_WHOLE,
    ME,
    NODE,
    NOT_COLLECTED,
    NOT_OPERATOR,
    RESOURCE,
    SUBRESOURCE,
    by_controllers,
)
from ringfence.admission.policy import CHANGE, CREATE, Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, GUARDRAIL


def _same(*paths: str) -> str:
    return " && ".join(f"object.metadata.{path} == oldObject.metadata.{path}" for path in paths)


# Those that make what the gateway's Deployment and Service stand for.
_CONTROLLERS: Final = by_controllers(
    *("deployment-controller", "replicaset-controller", "disruption-controller"),
    *("endpoint-controller", "endpointslice-controller"),
)
# Those that end a pod for its node's sake.
_POD_KEEPERS: Final = f"{NODE} || {ME} == 'system:kube-scheduler' || " + by_controllers(
    "node-controller", "pod-garbage-collector", "taint-eviction-controller"
)

FENCE: Final = Policy(
    name="ringfence-fence",
    about="What the operator made in a tenant's namespace stays as it is, whatever roles somebody has.",
    resources=(Resources("*", ("*", "*/status"), CHANGE, "Namespaced"),),
    besides=(Resources(GROUP, (GUARDRAIL.plural,), CHANGE),),
    labels={names.MANAGED_BY_LABEL: names.MANAGED_BY},
    unless=(
        NOT_OPERATOR,
        GLASS_WHOLE,
        NOT_COLLECTED,
        Expression("not-its-controller", f"!({_CONTROLLERS} || ({RESOURCE} == 'pods' && ({_POD_KEEPERS})))"),
    ),
    validations=(
        Validation(
            "fence-objects",
            (Threat.REMOVED_FENCE, Threat.POISONED_GATEWAY, Threat.WILDCARD_ROLES),
            f"{SUBRESOURCE} == 'status'",
            f"objects labelled {names.MANAGED_BY_LABEL}={names.MANAGED_BY} belong to the operator; "
            "change the Tenant or the Namespace object",
            f"'(' + {RESOURCE} + ')'",
        ),
        Validation(
            "fence-status",
            (Threat.REMOVED_FENCE, Threat.SIDE_ENTRANCES),
            f"{SUBRESOURCE} != 'status' || ({_same('?labels', '?ownerReferences', '?finalizers')})",
            "a status is no way to an object's labels, owners and finalizers",
        ),
        # What a quota still allows is judged by its status, which the API server itself counts up.
        Validation(
            "fence-quota",
            (Threat.QUOTA_RACES, Threat.SIDE_ENTRANCES),
            f"""
            {RESOURCE} != 'resourcequotas' || {SUBRESOURCE} != 'status' || object.?status == oldObject.?status
              || {ME} == 'system:apiserver' || {by_controllers("resourcequota-controller")}
            """,
            "what a quota allows, and what is used of it, is told by Kubernetes",
        ),
    ),
)

GUARDRAILS: Final = Policy(
    name="ringfence-guardrails",
    about="The compiled rules that other policies take as parameter are written by the operator only.",
    resources=(Resources(GROUP, (GUARDRAIL.plural,), CHANGE),),
    everywhere=True,
    unless=(NOT_OPERATOR, GLASS_WHOLE, NOT_COLLECTED),
    validations=(
        Validation(
            "guardrail-writer",
            (Threat.REMOVED_FENCE, Threat.WILDCARD_ROLES),
            "false",
            "a Guardrail is written by the operator only; change the Tenant or the Namespace object",
        ),
    ),
)

HOME: Final = Policy(
    name="ringfence-home",
    about="Nothing runs in a home namespace but the gateway: whatever runs there can mount the providers' keys.",
    resources=(
        Resources("", ("pods", "replicationcontrollers"), CREATE),
        Resources("apps", ("daemonsets", "deployments", "replicasets", "statefulsets"), CREATE),
        Resources("batch", ("*",), CREATE),
    ),
    namespaces=({"key": names.HOME_LABEL, "operator": "Exists"},),
    unless=(NOT_OPERATOR, GLASS_WHOLE),
    validations=(
        Validation(
            "home-workload",
            (Threat.READ_SECRETS, Threat.POISONED_GATEWAY, Threat.WILDCARD_ROLES),
            f"""
            ({RESOURCE} == 'replicasets' && {by_controllers("deployment-controller")})
              || ({RESOURCE} == 'pods' && {by_controllers("replicaset-controller")})
            """,
            "nothing runs in a home namespace but the tenant's gateway",
        ),
    ),
)

DEFINITIONS: Final = Policy(
    name="ringfence-definitions",
    about="A definition of ours is not deleted by accident: every tenant's objects would go with it.",
    resources=(Resources("apiextensions.k8s.io", ("customresourcedefinitions",), ("DELETE",)),),
    everywhere=True,
    unless=(Expression("ours", f"oldObject.spec.group == '{GROUP}'"), GLASS_WHOLE),
    validations=(
        Validation(
            "definition-deletion",
            (Threat.MASS_DELETION,),
            "false",
            f"every tenant's objects would go with it; say why in annotation {names.BREAK_GLASS_ANNOTATION} first",
        ),
    ),
)

POLICIES: Final = (FENCE, GUARDRAILS, HOME, DEFINITIONS)
