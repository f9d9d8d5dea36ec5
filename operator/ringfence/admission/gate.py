"""The gate in front of our kinds while Helm installs.

Helm orders by kind, definitions before policies, so that for about a second our kinds would be served and not guarded.
The gate is a hook, which comes before both. It refuses whatever is new of our kinds until what puts the policies in
force has been there long enough to do so.

Law: it fails closed. While there are no policies, nothing of our kinds is born.
"""

from typing import Any, Final

from ringfence.admission.metadata import METADATA
from ringfence.admission.policy import API, CREATE, Resources, manifest, one_line
from ringfence.model.kinds import GROUP

NAME: Final = "ringfence-gate"
SETTLED: Final = "5s"
"""From a policy's birth until it judges: the API server looks once a second, and a busy one later."""
_BINDING: Final = "ValidatingAdmissionPolicyBinding"
# The API server has no clock for rules. It notes when a field was written, and that is now.
_OPEN: Final = f"""
    object.metadata.?managedFields.orValue([]).exists(f,
      timestamp(f.time) >= timestamp(params.metadata.creationTimestamp) + duration('{SETTLED}'))
    """


def gate() -> list[dict[str, Any]]:
    """The policy and its binding."""
    rule = {
        "expression": one_line(_OPEN),
        "message": f"gate: Ringfence is being installed; try again in {SETTLED}",
        "reason": "Forbidden",
    }
    spec = {
        "failurePolicy": "Fail",
        "paramKind": {"apiVersion": API, "kind": _BINDING},
        "matchConstraints": {"resourceRules": [Resources(GROUP, ("*",), CREATE).rule]},
        "validations": [rule],
    }
    bound = {
        "policyName": NAME,
        # Helm makes all bindings side by side, after everything else: one speaks for the others.
        "paramRef": {"name": METADATA.name, "parameterNotFoundAction": "Deny"},
        "validationActions": ["Deny", "Audit"],
    }
    return [manifest("ValidatingAdmissionPolicy", NAME, spec), manifest(_BINDING, NAME, bound)]
