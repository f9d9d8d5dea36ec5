"""Metadata and status of our own kinds.

Law: a tenant's object has no owner and no finalizer but ours, no annotation of ours that people don't write, and a
status that the operator alone tells.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import (
    EXCUSED,
    GLASS_REASON,
    GLASS_WHOLE,
    HOLDS_BYPASS,
    LIVING,
    NOT_OPERATOR,
    RESOURCE,
    SERVICE_ACCOUNT,
    labels,
    value,
)
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.stamps import OUR_KINDS, OUR_WRITES, STAMP_RULES, STAMP_VARIABLES
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, NAMESPACE, TENANT
from ringfence.model.rules import cel_list

MOST_ANNOTATIONS: Final = 64
LONGEST_ANNOTATION: Final = 16_384
"""In characters. What kubectl keeps of the last apply may be longer, as the object itself may."""
_KUBECTL: Final = "kubectl.kubernetes.io/last-applied-configuration"

# What people and the API server write; the promoters' annotations have a prefix of their own.
_KNOWN: Final = cel_list(
    (
        names.BREAK_GLASS_ANNOTATION,
        names.CONFIRM_DELETE_ANNOTATION,
        names.CONFIRM_DELETE_BY_ANNOTATION,
        names.CONFIRM_DELETE_GENERATION_ANNOTATION,
        names.CONFIRM_RELEASE_ANNOTATION,
        names.CONFIRM_RELEASE_BY_ANNOTATION,
        names.CONFIRM_RELEASE_GENERATION_ANNOTATION,
        names.PAUSED_BY_ANNOTATION,
        names.PAUSED_UNTIL_ANNOTATION,
        names.REQUESTED_BY_ANNOTATION,
    )
)
_RESERVED: Final = f"(k.startsWith('{GROUP}/') || k.contains('kopf.zalando.org/') || k.contains('kopf.dev/'))"
_OLD_FINALIZERS: Final = "(oldObject == null ? [] : oldObject.metadata.?finalizers.orValue([]))"

_METADATA_RULES: Final = (
    Validation(
        "metadata-size",
        (Threat.HUGE_OBJECTS,),
        f"""
        variables.new.size() <= {MOST_ANNOTATIONS}
          && variables.new.all(k, k == '{_KUBECTL}' || variables.new[k].size() <= {LONGEST_ANNOTATION})
        """,
        f"at most {MOST_ANNOTATIONS} annotations of {LONGEST_ANNOTATION} characters",
        excused=EXCUSED,
    ),
    Validation(
        "metadata-annotations",
        (Threat.FORGED_FRAMEWORK, Threat.FORGED_AUTHORS),
        f"""
        variables.new.all(k, !{_RESERVED} || k in {_KNOWN} || (k in variables.old
          && variables.old[k] == variables.new[k]))
        """,
        "annotations of the operator and of its framework are not for people",
        excused=EXCUSED,
    ),
    Validation(
        "metadata-labels",
        (Threat.SPOOFED_LABELS,),
        f"""
        variables.newLabels.all(k, !k.startsWith('{GROUP}/') || (k in variables.oldLabels
          && variables.oldLabels[k] == variables.newLabels[k]))
        """,
        f"labels with prefix {GROUP}/ are given by the operator",
        excused=EXCUSED,
    ),
    Validation(
        "metadata-owners",
        (Threat.FOREIGN_FINALIZERS, Threat.MASS_DELETION),
        """
        object.metadata.?ownerReferences.orValue([]).size() == 0 || (oldObject != null
          && object.metadata.ownerReferences == oldObject.metadata.?ownerReferences.orValue([]))
        """,
        "no ownerReferences: with its owner the object would go, and what stands for it",
        excused=EXCUSED,
    ),
    Validation(
        "finalizer-added",
        (Threat.FOREIGN_FINALIZERS, Threat.FORGED_FRAMEWORK),
        f"object.metadata.?finalizers.orValue([]).all(f, f in {_OLD_FINALIZERS})",
        "finalizers are added by the operator only",
        excused=EXCUSED,
    ),
    Validation(
        "finalizer-removed",
        (Threat.FOREIGN_FINALIZERS, Threat.ABSENT_OPERATOR),
        f"""
        !('{names.FINALIZER}' in {_OLD_FINALIZERS})
          || '{names.FINALIZER}' in object.metadata.?finalizers.orValue([])
        """,
        f"{names.FINALIZER} is taken off by the operator, when all is cleaned up",
        excused=EXCUSED,
    ),
)

_UNTIL: Final = value("variables.new", names.PAUSED_UNTIL_ANNOTATION)
_MOMENT: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"
LONGEST_PAUSE: Final = "4h"

_PAUSE_RULES: Final = (
    Validation(
        "pause-right",
        (Threat.REMOVED_FENCE, Threat.WILDCARD_ROLES),
        f"!variables.pauses || (!{SERVICE_ACCOUNT} && {HOLDS_BYPASS})",
        "suspending repair takes a person with the verb bypass on guardrails",
    ),
    Validation(
        "pause-reason",
        (Threat.REMOVED_FENCE, Threat.WILDCARD_ROLES),
        f"!variables.pauses || {GLASS_REASON} != ''",
        f"suspending repair takes a reason in annotation {names.BREAK_GLASS_ANNOTATION}",
    ),
    # The API server has no clock for rules. It notes when a field was written, and that is now.
    Validation(
        "pause-length",
        (Threat.REMOVED_FENCE,),
        f"""
        !variables.pauses || {_UNTIL}.matches('{_MOMENT}') && object.metadata.?managedFields.orValue([]).exists(f,
          timestamp(f.time) + duration('{LONGEST_PAUSE}') >= timestamp({_UNTIL}))
        """,
        f"a pause ends at a moment in UTC, {LONGEST_PAUSE} ahead at most",
    ),
)

METADATA: Final = Policy(
    name="ringfence-metadata",
    about="Metadata of Ringfence's own kinds are short and hold nothing that speaks for the operator; who asked is "
    "written there by the API server, and repair is suspended by whoever may break the glass.",
    resources=OUR_WRITES,
    everywhere=True,
    screened=True,
    variables=(
        EXCUSED,
        *STAMP_VARIABLES,
        Expression("newLabels", labels("object")),
        Expression("oldLabels", labels("oldObject")),
        Expression(
            "pauses",
            f"{RESOURCE} in {cel_list((NAMESPACE.plural, TENANT.plural))} && ({LIVING.cel}) && {_UNTIL} != ''"
            f" && {_UNTIL} != {value('variables.old', names.PAUSED_UNTIL_ANNOTATION)}",
        ),
    ),
    validations=(*STAMP_RULES, *_METADATA_RULES, *_PAUSE_RULES),
)

STATUS: Final = Policy(
    name="ringfence-status",
    about="The status of Ringfence's own kinds is told by the operator.",
    resources=(Resources(GROUP, tuple(f"{kind}/status" for kind in OUR_KINDS), ("UPDATE",)),),
    everywhere=True,
    unless=(NOT_OPERATOR, GLASS_WHOLE),
    validations=(
        Validation(
            "status-writer",
            (Threat.FORGED_STATUS,),
            "false",
            "a status is told by the operator only",
        ),
    ),
)

POLICIES: Final = (METADATA, STATUS)
