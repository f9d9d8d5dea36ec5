"""What a MutatingAdmissionPolicy is made of.

Law: nothing rests on a mutation. It fills in what a validating policy demands, so that nobody has to write it; where
the API server has no such policies (before 1.36), the demand stands and people write it themselves. A mutation that
matches costs a conversion of the object and back even where it has nothing to fill in: conditions keep it from that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ringfence import names
from ringfence.admission.policy import PARAM_KIND, Expression, Resources, manifest, one_line

INDICES: Final = list(range(32))
"""CEL has no ranges: what is patched by its index is among the first 32 of a list."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A MutatingAdmissionPolicy and its binding."""

    name: str
    about: str
    """What it fills in, in a sentence."""
    resources: tuple[Resources, ...]
    patches: str
    """A CEL expression for a list of JSON patches."""
    namespaces: Sequence[dict[str, Any]] = ()
    """Label selector of the namespaces that it looks at; all where it is left out."""
    unless: tuple[Expression, ...] = ()
    variables: tuple[Expression, ...] = ()
    missing: Literal["", "Allow", "Deny"] = ""
    """Whether it takes the namespace's Guardrail as parameter, and what holds where there is none."""

    @property
    def manifest(self) -> dict[str, Any]:
        """The policy."""
        constraints: dict[str, Any] = {"resourceRules": [each.rule for each in self.resources]}
        if self.namespaces:
            constraints["namespaceSelector"] = {"matchExpressions": [dict(each) for each in self.namespaces]}
        patch = {"patchType": "JSONPatch", "jsonPatch": {"expression": one_line(self.patches)}}
        spec: dict[str, Any] = {"failurePolicy": "Fail", "reinvocationPolicy": "Never"}
        if self.missing:
            spec["paramKind"] = dict(PARAM_KIND)
        spec |= {
            "matchConstraints": constraints,
            "matchConditions": [each.entry() for each in self.unless],
            "variables": [each.entry() for each in self.variables],
            "mutations": [patch],
        }
        return manifest("MutatingAdmissionPolicy", self.name, {key: value for key, value in spec.items() if value})

    @property
    def bindings(self) -> list[dict[str, Any]]:
        """What puts it in force."""
        spec: dict[str, Any] = {"policyName": self.name}
        if self.missing:
            spec["paramRef"] = {"name": names.GUARDRAIL, "parameterNotFoundAction": self.missing}
        return [manifest("MutatingAdmissionPolicyBinding", self.name, spec)]
