"""Where workloads run, and what they keep their data on.

Law: in the tenant's regions and on allowed storage only. Terms of a node affinity are alternatives, so each of them
must name the regions.
"""

from typing import Final

from ringfence.admission.cel import GLASS_WHOLE, LIVING, ME, annotations, by_controllers, value
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.rules import cel_list

REGION: Final = "topology.kubernetes.io/region"
REGIONS: Final = "params.spec.?regions.orValue([])"
AFFINITY: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_BY_DAEMON_SETS: Final = by_controllers("daemon-set-controller")
# Labels that tell nothing about whom a node is for.
_FREE_LABELS: Final = cel_list((REGION, "topology.kubernetes.io/zone", "kubernetes.io/arch", "kubernetes.io/os"))
# Taints of nodes in trouble: Kubernetes adds these tolerations to every pod, or to those of DaemonSets.
_COMMON_TAINTS: Final = cel_list(
    f"node.kubernetes.io/{name}" for name in ("disk-pressure", "memory-pressure", "not-ready", "unreachable")
)
_DAEMON_TAINTS: Final = cel_list(
    f"node.kubernetes.io/{name}"
    for name in ("disk-pressure", "memory-pressure", "not-ready", "pid-pressure", "unreachable", "unschedulable")
)


def in_regions(expression: str) -> str:
    """Whether a requirement of a node selector keeps to the regions."""
    return (
        f"({expression}.key == '{REGION}' && {expression}.operator == 'In' "
        f"&& {expression}.values.all(v, v in {REGIONS}))"
    )


PLACE_VARIABLES: Final = (
    Expression("terms", f"object.spec.?affinity.?nodeAffinity.?{AFFINITY}.?nodeSelectorTerms.orValue([])"),
    Expression("selector", "object.spec.?nodeSelector.orValue({})"),
    Expression("labels", "params.spec.?scheduling.?nodeSelector.orValue({})"),
    Expression("tolerations", "params.spec.?scheduling.?tolerations.orValue([])"),
)

PLACE_RULES: Final = (
    Validation(
        "pod-region",
        (Threat.CHANGED_PLACE,),
        f"""
        {REGIONS}.size() == 0 || (variables.terms.size() > 0
          && variables.terms.all(t, t.?matchExpressions.orValue([]).exists(m, {in_regions("m")})))
        """,
        f"every term of the node affinity names the tenant's regions ({REGION}):",
        f"{REGIONS}.join(', ')",
    ),
    Validation(
        "pod-region-selector",
        (Threat.CHANGED_PLACE,),
        f"{REGIONS}.size() == 0 || !('{REGION}' in variables.selector) || variables.selector['{REGION}'] in {REGIONS}",
        "nodeSelector names a region that the tenant does not have",
    ),
    Validation(
        "pod-node-labels",
        (Threat.BROKEN_PODS,),
        f"""
        variables.selector.all(k, k in {_FREE_LABELS}
            || (k in variables.labels && variables.labels[k] == variables.selector[k]))
          && variables.terms.all(t, t.?matchExpressions.orValue([]).all(m, m.key in {_FREE_LABELS}
            || (m.key in variables.labels && m.operator == 'In'
              && m.values.all(v, v == variables.labels[m.key]))))
        """,
        "these nodes are chosen by labels that the Tenant's spec.scheduling.nodeSelector does not have",
    ),
    Validation(
        "pod-node-fields",
        (Threat.BROKEN_PODS, Threat.SIDE_ENTRANCES),
        f"{_BY_DAEMON_SETS} || variables.terms.all(t, t.?matchFields.orValue([]).size() == 0)",
        "no node is chosen by its name",
    ),
    Validation(
        "pod-tolerations",
        (Threat.BROKEN_PODS,),
        f"""
        object.spec.?tolerations.orValue([]).all(t,
          t.?key.orValue('') in ({_BY_DAEMON_SETS} ? {_DAEMON_TAINTS} : {_COMMON_TAINTS})
          || variables.tolerations.exists(a, t.?key.orValue('') == a.key
            && (a.?operator.orValue('Equal') == 'Exists' || (t.?operator.orValue('Equal') == 'Equal'
              && t.?value.orValue('') == a.?value.orValue('')))
            && (!has(a.effect) || t.?effect.orValue('') == a.effect)))
        """,
        "a toleration is not among the Tenant's spec.scheduling.tolerations",
    ),
    Validation(
        "pod-runtime-class",
        (Threat.BROKEN_PODS,),
        """
        object.spec.?runtimeClassName.orValue('') == ''
          || object.spec.runtimeClassName in params.spec.?scheduling.?runtimeClasses.orValue([])
        """,
        "the runtime class is not among the Tenant's spec.scheduling.runtimeClasses",
    ),
    Validation(
        "pod-priority-class",
        (Threat.BROKEN_PODS,),
        """
        object.spec.?priorityClassName.orValue('') == ''
          || object.spec.priorityClassName in params.spec.?scheduling.?priorityClasses.orValue([])
        """,
        "the priority class is not among the Tenant's spec.scheduling.priorityClasses",
    ),
)
"""Rules for pods, of policy ``ringfence-pods``."""

_CLASS_NOTE: Final = "volume.beta.kubernetes.io/storage-class"
_NODE_NOTE: Final = "volume.kubernetes.io/selected-node"
_BORN: Final = "request.operation == 'CREATE'"


def _unless_new(key: str) -> str:
    return f"!('{key}' in variables.new) || variables.new['{key}'] == {value('variables.old', key)}"


STORAGE: Final = Policy(
    name="ringfence-storage",
    about="Volume claims are of allowed classes, take no volume that is there already, and choose no place.",
    resources=(Resources("", ("persistentvolumeclaims",)),),
    unless=(GLASS_WHOLE, LIVING),
    missing="Deny",
    variables=(
        Expression("class", "object.spec.?storageClassName.orValue('')"),
        Expression("new", annotations("object")),
        Expression("old", annotations("oldObject")),
    ),
    validations=(
        Validation(
            "claim-class",
            (Threat.CHANGED_PLACE,),
            f"!({_BORN}) || variables.class in params.spec.?storageClasses.orValue([])",
            "the storage class must be one of:",
            "params.spec.?storageClasses.orValue([]).join(', ')",
        ),
        Validation(
            "claim-volume",
            (Threat.CHANGED_PLACE,),
            f"""
            {_BORN} ? object.spec.?volumeName.orValue('') == '' && !has(object.spec.selector)
              : object.spec.?volumeName == oldObject.spec.?volumeName || {by_controllers("persistent-volume-binder")}
            """,
            "a claim names and selects no volume: it might be somebody else's, or elsewhere",
        ),
        Validation(
            "claim-class-annotation",
            (Threat.CHANGED_PLACE, Threat.SIDE_ENTRANCES),
            _unless_new(_CLASS_NOTE),
            f"no annotation {_CLASS_NOTE}: to Kubernetes it counts more than spec.storageClassName",
        ),
        Validation(
            "claim-node-annotation",
            (Threat.CHANGED_PLACE, Threat.SIDE_ENTRANCES),
            f"{_unless_new(_NODE_NOTE)} || {ME} == 'system:kube-scheduler'",
            f"annotation {_NODE_NOTE} is the scheduler's: a volume is made where it says",
        ),
    ),
)

POLICIES: Final = (STORAGE,)
