"""What a ValidatingAdmissionPolicy is made of.

Laws: every validation has an id that begins its message, so that a refusal names its rule; a policy says whom it does
not judge in its match conditions and nowhere else; it fails closed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ringfence import names
from ringfence.admission.threats import Threat
from ringfence.model import kinds

API: Final = "admissionregistration.k8s.io/v1"
CREATE: Final = ("CREATE",)
WRITE: Final = ("CREATE", "UPDATE")
CHANGE: Final = ("CREATE", "UPDATE", "DELETE")

PARAM_KIND: Final = {"apiVersion": kinds.GUARDRAIL.api_version, "kind": kinds.GUARDRAIL.kind}
IN_TENANTS: Final = ({"key": names.TENANT_LABEL, "operator": "Exists"},)
"""The label selector of tenant namespaces, orphaned ones too."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Operations on resources of one API group; a subresource is written ``pods/exec``."""

    group: str
    names: tuple[str, ...]
    operations: tuple[str, ...] = WRITE
    scope: Literal["*", "Cluster", "Namespaced"] = "*"

    @property
    def rule(self) -> dict[str, Any]:
        """The entry of ``resourceRules``, whole: to kubectl, a default in a list is a difference for ever."""
        return {
            "apiGroups": [self.group],
            "apiVersions": ["*"],
            "operations": list(self.operations),
            "resources": list(self.names),
            "scope": self.scope,
        }

    def only(self, operations: Iterable[str]) -> "Resources":
        """The same resources with those of its operations that are among ``operations``."""
        kept = tuple(each for each in self.operations if each in operations)
        return Resources(self.group, self.names, kept, self.scope)


@dataclass(frozen=True, slots=True)
class Expression:
    """A CEL expression with a name: a variable, a match condition or an audit annotation."""

    name: str
    cel: str

    def entry(self, key: str = "name", value: str = "expression") -> dict[str, str]:
        """The entry in a policy."""
        return {key: self.name, value: one_line(self.cel)}


@dataclass(frozen=True, slots=True)
class Validation:
    """One rule: ``cel`` must be true."""

    id: str
    """What begins the message; unique, and never changed."""
    threats: tuple[Threat, ...]
    cel: str
    message: str
    detail: str = ""
    """A CEL expression for the end of the message."""
    cve: tuple[str, ...] = ()
    """Vulnerabilities of others that this rule would have stopped."""
    excused: Expression | None = None
    """The policy's variable that, where it is true, excuses from this rule and not from its neighbours."""

    @property
    def says(self) -> str:
        """How every refusal by this rule begins."""
        return f"ringfence {self.id}: {self.message}"

    @property
    def whole(self) -> str:
        """The expression with what excuses from it."""
        return f"variables.{self.excused.name} || ({self.cel})" if self.excused else self.cel

    @property
    def entry(self) -> dict[str, str]:
        """The entry of ``validations``."""
        entry = {"expression": one_line(self.whole), "message": self.says, "reason": "Forbidden"}
        if self.detail:
            literal = self.says.replace("'", "\\'")
            entry["messageExpression"] = f"'{literal} ' + {one_line(self.detail)}"
        return entry


@dataclass(frozen=True, slots=True)
class Policy:
    """A ValidatingAdmissionPolicy and its bindings."""

    name: str
    about: str
    """What holds because of it, in a sentence."""
    resources: tuple[Resources, ...]
    validations: tuple[Validation, ...]
    everywhere: bool = False
    """Whether it looks at all namespaces and not only at tenants'."""
    namespaces: Sequence[dict[str, Any]] = IN_TENANTS
    """Label selector of the namespaces that it looks at, unless everywhere."""
    labels: dict[str, str] = field(default_factory=dict)
    """Labels that an object has before or after, for the policy to look at it."""
    besides: tuple[Resources, ...] = ()
    """Resources that it leaves alone."""
    unless: tuple[Expression, ...] = ()
    """Match conditions; all must be true for the policy to judge."""
    variables: tuple[Expression, ...] = ()
    screened: bool = False
    """Whether a match condition asks first if any rule is broken, and each is judged only then, to name it.

    The API server converts object, parameter and namespace once for the conditions and three times for the rules, so
    a request that breaks none costs a quarter. For rules that don't need ``namespaceObject``, which conditions lack.
    """
    missing: Literal["", "Allow", "Deny"] = ""
    """Whether it takes the namespace's Guardrail as parameter, and what holds where there is none.

    ``Deny`` is about creations and connections only: what is there already must be free to be changed and to go.
    """
    warns: bool = False
    """Whether it only warns."""
    notes: tuple[Expression, ...] = ()
    """What is written to the audit log of every request that is looked at."""

    @property
    def manifest(self) -> dict[str, Any]:
        """The policy."""
        spec: dict[str, Any] = {"failurePolicy": "Fail"}
        if self.missing:
            spec["paramKind"] = dict(PARAM_KIND)
        spec["matchConstraints"] = self._constraints
        spec |= {
            "matchConditions": [each.entry() for each in self._conditions],
            "variables": [each.entry() for each in self.variables],
            "validations": [each.entry for each in self.validations],
            "auditAnnotations": [each.entry("key", "valueExpression") for each in self.notes],
        }
        return manifest("ValidatingAdmissionPolicy", self.name, {key: value for key, value in spec.items() if value})

    @property
    def bindings(self) -> list[dict[str, Any]]:
        """What puts the policy in force."""
        if self.missing != "Deny":
            return [self._binding(self.name, self.missing)]
        parts = [("", "Deny", ("CREATE", "CONNECT")), ("-change", "Allow", ("UPDATE", "DELETE"))]
        found = []
        for suffix, missing, operations in parts:
            matched = [part.rule for each in self.resources if (part := each.only(operations)).operations]
            if matched:
                found.append(self._binding(self.name + suffix, missing, {"resourceRules": matched}))
        return found

    @property
    def _conditions(self) -> tuple[Expression, ...]:
        if not self.screened:
            return self.unless
        rules = " && ".join(_sums(self.validations))
        return (*self.unless, Expression("breaks-a-rule", f"!({_without_variables(rules, self.variables)})"))

    @property
    def _constraints(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if not self.everywhere:
            found["namespaceSelector"] = {"matchExpressions": [dict(each) for each in self.namespaces]}
        if self.labels:
            found["objectSelector"] = {"matchLabels": dict(self.labels)}
        found["resourceRules"] = [each.rule for each in self.resources]
        if self.besides:
            found["excludeResourceRules"] = [each.rule for each in self.besides]
        return found

    def _binding(self, name: str, missing: str, matched: dict[str, Any] | None = None) -> dict[str, Any]:
        spec: dict[str, Any] = {"policyName": self.name}
        if missing:
            spec["paramRef"] = {"name": names.GUARDRAIL, "parameterNotFoundAction": missing}
        spec["validationActions"] = ["Warn", "Audit"] if self.warns else ["Deny", "Audit"]
        if matched:
            spec["matchResources"] = matched
        return manifest("ValidatingAdmissionPolicyBinding", name, spec)


def _sums(validations: Sequence[Validation]) -> Iterator[str]:
    """The rules, those with one excuse together: asking for a right costs a third of what an expression may cost."""
    for excuse in dict.fromkeys(each.excused for each in validations):
        rules = " && ".join(f"({each.cel})" for each in validations if each.excused == excuse)
        yield f"(variables.{excuse.name} || ({rules}))" if excuse else rules


def _without_variables(cel: str, variables: Sequence[Expression]) -> str:
    """The expression with each variable's own in its place; match conditions know no variables."""
    for variable in reversed(variables):  # each may name those before it
        cel = re.sub(rf"\bvariables\.{variable.name}\b", lambda _, inner=variable.cel: f"({inner})", cel)  # type: ignore[misc]
    return cel


def manifest(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """An object of the admission API that is ours."""
    metadata = {"name": name, "labels": {"app.kubernetes.io/name": "ringfence"}}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def one_line(cel: str) -> str:
    """The expression without the line breaks and indents of its source; its string literals have neither."""
    return " ".join(cel.split())
