"""Who gives rights to whom in a tenant's namespace.

Law: only the roles that Ringfence ships are bound there, only to those whom the Tenant knows, and never beyond a
namespace.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import GLASS_WHOLE, LIVING, NOT_OPERATOR, RESOURCE, namespace_label
from ringfence.admission.policy import Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.rules import cel_list
from ringfence.plan.roles import BINDABLE, rights_of

_RBAC: Final = "rbac.authorization.k8s.io"
_HOME: Final = cel_list(name for name in BINDABLE if name.startswith(names.home_role("")))
_CORE: Final = cel_list(name for name in BINDABLE if name.startswith(names.tenant_role("")))
FITTING_ROLE: Final = (
    "(object.roleRef.kind == 'ClusterRole' && "
    f"object.roleRef.name in ({namespace_label(names.HOME_LABEL)} == 'true' ? {_HOME} : {_CORE}))"
)
"""Whether a RoleBinding is of a role for this sort of namespace."""
_SUBJECT: Final = (
    "(s.kind == 'ServiceAccount' ? s.kind + ':' + s.?namespace.orValue('') + '/' + s.name : s.kind + ':' + s.name)"
)

ROLES: Final = Policy(
    name="ringfence-roles",
    about="In a tenant's namespace nobody defines a Role, and only the shipped ClusterRoles are bound.",
    resources=(Resources(_RBAC, ("rolebindings", "roles")),),
    unless=(NOT_OPERATOR, GLASS_WHOLE, LIVING),
    validations=(
        Validation(
            "role-definition",
            (Threat.ESCALATED_ROLES,),
            f"{RESOURCE} != 'roles'",
            "no Roles in a tenant's namespace; bind one of the tenant roles",
        ),
        Validation(
            "role-binding-role",
            (Threat.ESCALATED_ROLES, Threat.WILDCARD_ROLES),
            f"{RESOURCE} == 'roles' || {FITTING_ROLE}",
            "only the tenant roles are bound here, not",
            "object.roleRef.kind + ' ' + object.roleRef.name",
        ),
    ),
)

MEMBERS: Final = Policy(
    name="ringfence-members",
    about="Rights in a tenant's namespace go to those whom the Tenant knows; in an incident to nobody.",
    resources=(Resources(_RBAC, ("rolebindings",)),),
    unless=(NOT_OPERATOR, GLASS_WHOLE, LIVING),
    missing="Allow",
    validations=(
        Validation(
            "role-binding-member",
            (Threat.ESCALATED_ROLES,),
            f"object.?subjects.orValue([]).all(s, {_SUBJECT} in params.spec.?subjects.orValue([]))",
            "the Tenant does not know every subject; it lists them in spec.access",
        ),
        Validation(
            "role-binding-quarantine",
            (Threat.ESCALATED_ROLES,),
            "!params.spec.?quarantined.orValue(false)",
            "this namespace is quarantined",
        ),
        Validation(
            "role-binding-shell",
            (Threat.OPENED_SHELLS,),
            f"object.roleRef.name != '{names.tenant_role(names.SHELL)}' || params.spec.?execAllowed.orValue(false)",
            "no shells here: the environment is protected, or private models run here",
        ),
    ),
)

CLUSTER_BINDINGS: Final = Policy(
    name="ringfence-cluster-bindings",
    about="Tenant roles hold in namespaces only, and the operator's role is the operator's.",
    resources=(Resources(_RBAC, ("clusterrolebindings",)),),
    everywhere=True,
    unless=(GLASS_WHOLE,),
    validations=(
        Validation(
            "cluster-binding-tenant-role",
            (Threat.ESCALATED_ROLES, Threat.CLUSTER_LISTS),
            f"!(object.roleRef.name in {cel_list((*BINDABLE, *map(rights_of, BINDABLE)))})",
            "a tenant role bound to the whole cluster reaches every tenant",
        ),
        Validation(
            "cluster-binding-operator-role",
            (Threat.FORGED_OPERATOR,),
            f"""
            object.roleRef.name != '{names.OPERATOR_SERVICE_ACCOUNT}' || object.?subjects.orValue([]).all(s,
              s.kind == 'ServiceAccount' && s.name == '{names.OPERATOR_SERVICE_ACCOUNT}'
              && s.?namespace.orValue('') == '{names.OPERATOR_NAMESPACE}')
            """,
            "the operator's role is bound to the operator's ServiceAccount only",
        ),
    ),
)

POLICIES: Final = (ROLES, MEMBERS, CLUSTER_BINDINGS)
