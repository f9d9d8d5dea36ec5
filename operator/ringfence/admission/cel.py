"""Expressions that several policies share: who asks, whether the glass is broken, what an object's metadata say.

Law: nobody is exempt by a role alone. Whoever holds the verb ``bypass`` (every cluster-admin does) must also say why,
on the object itself, and must not be a ServiceAccount: what a GitOps controller applies was not decided by a person.
"""

from collections.abc import Iterable
from typing import Final

from ringfence import names
from ringfence.admission.policy import Expression
from ringfence.model.kinds import GROUP
from ringfence.model.rules import cel_list

ME: Final = "request.userInfo.username"
YOURS: Final = "leave it out, or write it yourself where nothing fills it in. You are"
"""What to do about a stamp, and before `ME`: an API server without mutating policies fills in nothing."""
OPERATOR: Final = f"{ME} == '{names.OPERATOR_USER}'"
NODE: Final = "'system:nodes' in request.userInfo.groups"
SERVICE_ACCOUNT: Final = f"{ME}.startsWith('system:serviceaccount:')"
SUBRESOURCE: Final = "request.?subResource.orValue('')"
RESOURCE: Final = "request.resource.resource"
HOLDS_BYPASS: Final = f"authorizer.group('{GROUP}').resource('guardrails').check('bypass').allowed()"
MAY_CREATE_TENANTS: Final = f"authorizer.group('{GROUP}').resource('tenants').check('create').allowed()"

_CONTROLLERS: Final = "system:serviceaccount:kube-system:"
_ALL_CONTROLLERS: Final = "system:kube-controller-manager"  # where they have no identities of their own


def by_controllers(*controllers: str) -> str:
    """Whether one of these controllers of Kubernetes asks."""
    return f"{ME} in {cel_list([_ALL_CONTROLLERS, *(_CONTROLLERS + each for each in controllers)])}"


def labels(of: str) -> str:
    """The labels of ``object`` or ``oldObject``, which may be null."""
    return f"({of} == null ? {{}} : {of}.metadata.?labels.orValue({{}}))"


def annotations(of: str) -> str:
    """The annotations of ``object`` or ``oldObject``, which may be null."""
    return f"({of} == null ? {{}} : {of}.metadata.?annotations.orValue({{}}))"


def value(of: str, key: str) -> str:
    """The text under ``key`` in a map; empty where there is none."""
    return f"{of}[?'{key}'].orValue('')"


def namespace_label(key: str) -> str:
    """The label of the namespace that the request is about; empty where there is none."""
    return f"namespaceObject.metadata.?labels[?'{key}'].orValue('')"


def noted_otherwise(prefixes: Iterable[str]) -> str:
    """Whether an annotation whose key begins with one of ``prefixes`` comes, changes or goes."""
    new, old = annotations("object"), annotations("oldObject")
    ours = " || ".join(f"k.startsWith('{prefix}')" for prefix in prefixes)
    return (
        f"({new}.exists(k, ({ours}) && {old}[?k].orValue('') != {new}[k])"
        f" || {old}.exists(k, ({ours}) && !(k in {new})))"
    )


TARGET: Final = "(object == null ? oldObject : object)"
"""The object as it will be, or as it was where it goes."""
_REASON: Final = f"metadata.?annotations[?'{names.BREAK_GLASS_ANNOTATION}'].orValue('')"
_REASONS: Final = [value(annotations(of), names.BREAK_GLASS_ANNOTATION) for of in ("object", "oldObject")]
GLASS_REASON: Final = f"({_REASONS[0]} != '' ? {_REASONS[0]} : {_REASONS[1]})"
"""The reason on the object, or the one that is taken off: whoever broke the glass must be able to close it again."""


def _broken(reason: str) -> str:
    return f"{reason} != '' && !{SERVICE_ACCOUNT} && {HOLDS_BYPASS}"


GLASS_BROKEN: Final = _broken(GLASS_REASON)

NOT_OPERATOR: Final = Expression("not-the-operator", f"!({OPERATOR})")
GLASS_WHOLE: Final = Expression("no-break-glass", f"!({_broken(GLASS_REASON)})")
NAMESPACE_GLASS: Final = Expression("glass", _broken(f"namespaceObject.{_REASON}"))
"""For connections, whose objects have no annotations: the reason is on the namespace. Match conditions don't see it."""
_JUDGED: Final = (
    *("spec", "subjects", "roleRef", "rules", "subsets", "endpoints", "ports", "addressType"),
    *("metadata.?annotations", "metadata.?labels"),
)
LIVING: Final = Expression(
    "living",
    "object == null || oldObject == null || !has(object.metadata.deletionTimestamp) || "
    + " || ".join(f"object.?{field} != oldObject.?{field}" for field in _JUDGED),
)
"""What goes is left to go, whatever it is. Until its last finalizer is gone it works: who changes more is judged."""
SPEC_CHANGED: Final = Expression("spec-changed", "oldObject == null || object.spec != oldObject.spec")
"""What was there before a rule was made is left to be labelled, finalized and deleted."""
NOT_COLLECTED: Final = Expression(
    "not-collected", f"!({by_controllers('namespace-controller', 'generic-garbage-collector')})"
)
"""What goes with its namespace or its owner was decided there."""

EXCUSED: Final = Expression(
    "excused",
    f"{OPERATOR} || {by_controllers('namespace-controller', 'generic-garbage-collector')} || ({_broken(GLASS_REASON)})",
)
"""The same exemptions as a variable, for policies in which other rules hold for everybody."""

STEPPED_UP: Final = (
    "(!has(params.spec.stepUp) || request.userInfo.?extra[?params.spec.stepUp.extraKey].orValue([])"
    ".exists(v, v in params.spec.stepUp.values))"
)
"""Whether the sign-in is as strong as the Tenant asks; takes the Guardrail as parameter."""
