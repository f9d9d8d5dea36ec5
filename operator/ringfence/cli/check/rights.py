"""What we may do: as the operator at work, or as whoever installs it.

Law: rights are asked of the API server by name, never tried out.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from ringfence import names
from ringfence.cli.check.finding import Finding, failed, well
from ringfence.engine.preflight import missing
from ringfence.ports.cluster import Grant, Permission

_RBAC: Final = "rbac.authorization.k8s.io"
_INSTALLED: Final = (
    ("", ("namespaces", "persistentvolumeclaims", "serviceaccounts")),
    ("admissionregistration.k8s.io", ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")),
    ("admissionregistration.k8s.io", ("validatingadmissionpolicies", "validatingadmissionpolicybindings")),
    ("apiextensions.k8s.io", ("customresourcedefinitions",)),
    ("apps", ("deployments",)),
    ("networking.k8s.io", ("networkpolicies",)),
    (_RBAC, ("clusterrolebindings", "clusterroles", "rolebindings", "roles")),
)
INSTALLER: Final = (
    *(
        Permission(verb, group, resource)
        for group, resources in _INSTALLED
        for resource in resources
        for verb in ("create", "get", "patch")
    ),
    Permission("escalate", _RBAC, "clusterroles"),
    Permission("bind", _RBAC, "clusterroles"),
)
"""What applying manifests/install takes; who gives rights holds them, or these two verbs."""


def judge_installer(user: str, grants: Sequence[Grant]) -> Finding:
    """Whether ``user`` may install."""
    lacking = [str(each) for each in INSTALLER if not any(grant.covers(each) for grant in grants)]
    if lacking:
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""  # noqa: PLR2004 -- enough to know
        return failed("rights", f"{user} lacks: {', '.join(lacking[:5])}{more}", "install as a cluster's administrator")
    return well("rights", f"{user} may install")


def judge_rights(user: str, grants: Sequence[Grant]) -> Iterator[Finding]:
    """Whether the operator has its rights, where it is the operator who asks."""
    if user != names.OPERATOR_USER:
        return
    if lacking := missing(grants):
        yield failed("rights", f"the operator lacks: {', '.join(lacking)}", "apply the roles of this release")
    else:
        yield well("rights", "the operator has its rights")
