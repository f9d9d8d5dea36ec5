"""The fence around the operator itself: what its identity never does, whatever a bug or a tenant makes it try.

Law: RBAC gives it verbs on resources, these policies say on which objects. Nothing here has a glass to break: an
operator that needs more is changed, not excused.
"""

from collections.abc import Iterable
from typing import Final

from ringfence import names
from ringfence.admission.cel import OPERATOR, RESOURCE, annotations, labels, namespace_label, value
from ringfence.admission.policy import CHANGE, CREATE, WRITE, Expression, Policy, Resources, Validation
from ringfence.admission.roles import FITTING_ROLE
from ringfence.admission.stamps import OUR_KINDS
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP
from ringfence.model.rules import cel_list
from ringfence.model.tenant_rules import RESERVED_NAMES
from ringfence.plan.children.gateway_pod import COLLECTOR

_BY_OPERATOR: Final = (Expression("the-operator", OPERATOR),)
_RBAC: Final = "rbac.authorization.k8s.io"
_LEVEL: Final = "pod-security.kubernetes.io/enforce"
_DEPUTY: Final = (Threat.CONFUSED_DEPUTY,)
_HANDED: Final = value(annotations("oldObject"), names.ADOPT_ANNOTATION)
_HANDS: Final = value(annotations("object"), names.ADOPT_ANNOTATION)
_CANARY: Final = cel_list((names.CANARY, names.CANARY_HOME))

_OF_GATEWAY: Final = " || ".join(
    f"v.secret.secretName.startsWith('{prefix}')" for prefix in (names.GATEWAY_TLS_PREFIX, "model-")
)

NAMESPACES: Final = Policy(
    name="ringfence-operator-namespaces",
    about="The operator makes, changes and deletes namespaces of tenants only, and moves none between them.",
    resources=(Resources("", ("namespaces", "namespaces/finalize", "namespaces/status"), CHANGE),),
    everywhere=True,
    unless=_BY_OPERATOR,
    variables=(
        Expression("oldLabels", labels("oldObject")),
        Expression("newLabels", labels("object")),
        Expression("before", value("variables.oldLabels", names.TENANT_LABEL)),
        Expression("after", value("variables.newLabels", names.TENANT_LABEL)),
        Expression("oldOwner", value("variables.oldLabels", names.OWNER_UID_LABEL)),
        Expression("newOwner", value("variables.newLabels", names.OWNER_UID_LABEL)),
    ),
    validations=(
        Validation(
            "operator-namespace-birth",
            (*_DEPUTY, Threat.TAKEN_NAMES),
            f"""
            oldObject != null || (variables.after != '' && !(variables.after in {cel_list(RESERVED_NAMES)})
              && (object.metadata.name == variables.after || object.metadata.name.startsWith(variables.after + '-')))
              || (object.metadata.name in {_CANARY} && variables.after == '{names.CANARY_TENANT}')
            """,
            "the operator makes only namespaces <tenant> and <tenant>-*, labelled so, and the canary's",
        ),
        Validation(
            "operator-namespace-tenant",
            _DEPUTY,
            "object == null || oldObject == null || (variables.before != '' && variables.before == variables.after)",
            "the operator changes no namespace but a tenant's, and moves none to another tenant",
        ),
        Validation(
            "operator-namespace-adoption",
            (*_DEPUTY, Threat.SQUATTED_NAMES),
            f"""
            object == null || oldObject == null || ({_HANDS} in ['', {_HANDED}]
              && (variables.newOwner in ['', variables.oldOwner] || {_HANDED} == variables.before))
            """,
            f"the operator takes over only what annotation {names.ADOPT_ANNOTATION} hands it, and writes none",
        ),
        Validation(
            "operator-namespace-level",
            (*_DEPUTY, Threat.BROKEN_PODS),
            f"object == null || {value('variables.newLabels', _LEVEL)} in ['restricted', 'baseline']",
            "a tenant's namespace enforces a Pod Security level",
        ),
        Validation(
            "operator-namespace-deletion",
            (*_DEPUTY, Threat.MASS_DELETION),
            "object != null || (variables.before != '' && variables.oldOwner != '')",
            "the operator deletes only namespaces that a Tenant owns",
        ),
    ),
)

_WATCHED: Final = (*OUR_KINDS, *(f"{kind}/status" for kind in OUR_KINDS))

OBJECTS: Final = Policy(
    name="ringfence-operator-objects",
    about="The operator writes objects in tenants' namespaces and in its own, nowhere else.",
    resources=(Resources("*", ("*/*",), ("*",), "Namespaced"),),
    # A namespace whose name a Tenant wants may be somebody else's: there the operator tells so in a status, no more.
    besides=(
        Resources("", ("events",), ("*",)),
        Resources("events.k8s.io", ("events",), ("*",)),
        Resources(GROUP, _WATCHED, ("*",)),
    ),
    namespaces=(
        {"key": names.TENANT_LABEL, "operator": "DoesNotExist"},
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [names.OPERATOR_NAMESPACE]},
    ),
    unless=_BY_OPERATOR,
    validations=(
        Validation(
            "operator-outside",
            _DEPUTY,
            "false",
            "the operator writes nothing outside of tenants' namespaces:",
            RESOURCE,
        ),
    ),
)

BINDINGS: Final = Policy(
    name="ringfence-operator-bindings",
    about="The operator binds tenant roles to people, and writes no role.",
    resources=(Resources(_RBAC, ("clusterrolebindings", "clusterroles", "rolebindings", "roles"), WRITE),),
    everywhere=True,
    unless=_BY_OPERATOR,
    variables=(Expression("binding", f"{RESOURCE} == 'rolebindings'"),),
    validations=(
        Validation(
            "operator-roles",
            (*_DEPUTY, Threat.ESCALATED_ROLES),
            "variables.binding",
            "the operator writes no",
            RESOURCE,
        ),
        Validation(
            "operator-binding-role",
            (*_DEPUTY, Threat.ESCALATED_ROLES),
            f"!variables.binding || {FITTING_ROLE}",
            "the operator binds the tenant roles only",
        ),
        Validation(
            "operator-binding-subject",
            (*_DEPUTY, Threat.ESCALATED_ROLES),
            f"""
            !variables.binding || object.?subjects.orValue([]).all(s, !s.name.startsWith('system:')
              && (s.kind != 'ServiceAccount' || s.?namespace.orValue('').split('-')[0]
                != request.namespace.split('-')[0] || (request.namespace in {_CANARY}
                && s.namespace == '{names.OPERATOR_NAMESPACE}' && s.name == '{names.CANARY}')))
            """,
            "the operator gives rights to no system: subject and to no workload of the tenant",
        ),
    ),
)

_POD: Final = "object.spec.template.spec"

_IMAGES: Final = "images"
PINNED: Final = (names.GATEWAY_REPOSITORY, names.COLLECTOR_REPOSITORY)
"""Repositories of the images that the operator may run, as they are shipped; an installation sets its own."""


def pins(repositories: Iterable[str] = PINNED) -> Expression:
    """The variable that says which images the operator may run."""
    return Expression(_IMAGES, cel_list(repositories))


WORKLOADS: Final = Policy(
    name="ringfence-operator-workloads",
    about="The operator runs the gateway of a tenant, and nothing else; `ringfence-pods` keeps it from pods.",
    resources=(
        Resources("", ("podtemplates", "replicationcontrollers"), WRITE),
        Resources("apps", ("daemonsets", "deployments", "replicasets", "statefulsets"), WRITE),
        Resources("batch", ("*",), WRITE),
    ),
    unless=_BY_OPERATOR,
    variables=(
        pins(),
        Expression("deployment", f"{RESOURCE} == 'deployments'"),
        Expression(
            "containers",
            f"variables.deployment ? {_POD}.containers + {_POD}.?initContainers.orValue([]) : []",
        ),
    ),
    validations=(
        Validation(
            "operator-workload",
            _DEPUTY,
            f"""
            variables.deployment && object.metadata.name == '{names.GATEWAY}'
              && {namespace_label(names.HOME_LABEL)} == 'true'
            """,
            f"the operator runs Deployment {names.GATEWAY} in home namespaces and no other workload",
        ),
        Validation(
            "operator-workload-image",
            (*_DEPUTY, Threat.POISONED_GATEWAY),
            """
            variables.containers.all(c, variables.images.exists(i,
              c.image.startsWith(i + ':') || c.image.startsWith(i + '@')))
            """,
            "the operator runs the images of the gateway and of its collector only",
        ),
        Validation(
            "operator-workload-command",
            (*_DEPUTY, Threat.POISONED_GATEWAY),
            f"""
            variables.containers.all(c, !has(c.command) && !c.?lifecycle.?postStart.hasValue()
              && (!c.?lifecycle.?preStop.hasValue() || c.?lifecycle.?preStop.?sleep.hasValue())
              && (c.name != '{COLLECTOR}' || c.?args[?0].orValue('') == 'collect'))
            """,
            "the operator overrides no command, has no hook but a pause, and lets its own image collect only",
        ),
        Validation(
            "operator-workload-volumes",
            (*_DEPUTY, Threat.READ_SECRETS),
            f"""
            (!variables.deployment || {_POD}.?volumes.orValue([]).all(v, has(v.configMap) || has(v.emptyDir)
              || (has(v.secret) && ({_OF_GATEWAY}))))
              && variables.containers.all(c, !has(c.envFrom)
                && c.?env.orValue([]).all(e, !has(e.valueFrom) || !has(e.valueFrom.secretKeyRef)))
            """,
            "the gateway mounts Secrets gateway-tls-* and model-* only",
        ),
        Validation(
            "operator-workload-token",
            (*_DEPUTY, Threat.STOLEN_TOKENS),
            f"""
            !variables.deployment || ({_POD}.?serviceAccountName.orValue('') == '{names.GATEWAY}'
              && !{_POD}.?automountServiceAccountToken.orValue(true))
            """,
            f"the gateway runs as ServiceAccount {names.GATEWAY}, without a token",
        ),
    ),
)

SECRETS: Final = Policy(
    name="ringfence-operator-secrets",
    about="The operator asks whether a Secret exists, and makes the gateway's certificates.",
    resources=(Resources("", ("secrets",), CREATE),),
    everywhere=True,
    unless=_BY_OPERATOR,
    validations=(
        Validation(
            "operator-secret",
            (*_DEPUTY, Threat.READ_SECRETS),
            f"""
            request.?dryRun.orValue(false)
              || object.metadata.?name.orValue('').startsWith('{names.GATEWAY_TLS_PREFIX}')
            """,
            "the operator makes no Secret but the gateway's certificates",
        ),
    ),
)

POLICIES: Final = (NAMESPACES, OBJECTS, BINDINGS, WORKLOADS, SECRETS)
