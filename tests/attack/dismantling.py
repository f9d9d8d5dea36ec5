"""Admission policies with a part taken away, and put back.

Law: what is changed here is changed on the API server alone, and every change is undone.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from ringfence.admission.catalogue import POLICIES
from ringfence.controlplane import MERGE_PATCH, Client

_API: Final = "/apis/admissionregistration.k8s.io/v1"
_PLURALS: Final = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}


@dataclass(frozen=True)
class Dismantling:
    """Changes the policies of one API server."""

    admin: Client

    def only_warn(self) -> None:
        """Let every rule that fails warn; otherwise the first one alone is told."""
        self._bind(["Warn"])

    def refuse_again(self) -> None:
        """Put the bindings back."""
        self._bind(None)

    def take_away(self, rules: frozenset[str]) -> None:
        """Replace these expressions by `true`, and put every other one back."""
        for policy in POLICIES:
            manifest = policy.manifest
            self._change(manifest, {"validations": [_without(rules, each) for each in manifest["spec"]["validations"]]})

    def warnings(self) -> list[str]:
        """What the API server has to say about the types in expressions."""
        listed = self.admin.get(f"{_API}/validatingadmissionpolicies").must()["items"]
        checked = {item["metadata"]["name"]: item.get("status", {}).get("typeChecking") for item in listed}
        assert None not in checked.values(), "not every policy was looked at yet"
        return [f"{name}: {each}" for name, found in checked.items() for each in found.get("expressionWarnings", ())]

    def _bind(self, actions: list[str] | None) -> None:
        for policy in POLICIES:
            for binding in policy.bindings:
                self._change(binding, {"validationActions": actions or binding["spec"]["validationActions"]})

    def _change(self, manifest: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
        path = f"{_API}/{_PLURALS[manifest['kind']]}/{manifest['metadata']['name']}"
        self.admin.request("PATCH", path, {"spec": spec}, content_type=MERGE_PATCH).must()


def rounds() -> list[frozenset[str]]:
    """One rule of each policy at a time; no row rests on two rules, so that a round is as good as one by one."""
    columns = zip_longest(*([each.id for each in policy.validations] for policy in POLICIES))
    return [frozenset(rule for rule in column if rule) for column in columns]


def _without(rules: frozenset[str], validation: Mapping[str, Any]) -> dict[str, Any]:
    kept = copy.deepcopy(dict(validation))
    if kept["message"].removeprefix("ringfence ").partition(":")[0] in rules:
        kept["expression"] = "true"
    return kept
