"""What a row of the attack table is, and short ways to write requests.

Law: a row is data. Its attack differs from its twin in the one thing that its rule is about. What refuses it is a rule
of an admission policy, here, or of another layer of the API server: roles, definitions, Pod Security, quota.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ringfence.admission.catalogue import POLICIES, VALIDATIONS
from ringfence.admission.threats import Threat
from ringfence.plan.rights import Action
from tests.attack.asking import Answer, Request, Who

Ask = tuple[Who, Request]
_UNCHECKED: Final = "some validation rules were not checked"
"""Told beside a keyword: the expressions come after all keywords."""
WARNED: Final = frozenset(each.id for policy in POLICIES if policy.warns for each in policy.validations)


@dataclass(frozen=True)
class Row:
    """An attack that one rule of an admission policy refuses, and what differs in one thing and is allowed."""

    title: str
    rule: str
    """The id of a validation, with which the refusal begins; in other layers, what stands for it there."""
    attack: Ask
    twin: Ask
    personal: bool = False
    """Whether it is about who asks; other rows are sent as a GitOps account with every right, too."""
    backed: bool = False
    """Whether something else refuses it as well, once the rule is gone."""

    @property
    def id(self) -> str:
        """For reports."""
        return f"{self.rule}: {self.title}"

    @property
    def threats(self) -> tuple[Threat, ...]:
        """Lines of the attack list that it is about."""
        return VALIDATIONS[self.rule][1].threats

    def refused(self, answer: Answer) -> bool:
        """Whether the answer is this rule's own."""
        mark = f"ringfence {self.rule}: "
        if self.rule in WARNED:
            return answer.status < 400 and any(mark in warning for warning in answer.warnings)
        return answer.forbidden and mark in answer.message

    def passed(self, answer: Answer, request: Request) -> bool:
        """Whether it was allowed. There are no nodes: a connection that nobody forbids ends nowhere."""
        done = not answer.forbidden if request.connects else answer.status < 400
        return done and (self.rule not in WARNED or not self.refused(answer))


@dataclass(frozen=True)
class LayerRow(Row):
    """An attack that another layer refuses."""

    threat: Threat = field(kw_only=True)

    @property
    def threats(self) -> tuple[Threat, ...]:
        """The line of the attack list that it is about."""
        return (self.threat,)


@dataclass(frozen=True)
class RoleRow(LayerRow):
    """An attack for which a right lacks; the rule is that nobody gave it to who asks."""

    right: Action = field(kw_only=True)
    says: str = ""
    """What the refusal says, where it does not name the right."""

    def refused(self, answer: Answer) -> bool:
        """Whether this right was missing."""
        resource, _, subresource = self.right.resource.partition("/")
        lacking = f'cannot {self.right.verb} resource "{resource}{"/" if subresource else ""}{subresource}"'
        return answer.forbidden and (self.says or lacking) in answer.message


@dataclass(frozen=True)
class SchemaRow(LayerRow):
    """An attack that a definition of ours refuses; the rule is a keyword of its schema or an expression's message."""

    at: tuple[str, str] = field(kw_only=True)
    """The plural of the definition, and where in it the rule stands: a path of fields, without numbers of items."""

    def refused(self, answer: Answer) -> bool:
        """Whether this rule is the only one that it broke."""
        causes = answer.body.get("details", {}).get("causes", [])
        broken = [cause["message"] for cause in causes if _UNCHECKED not in cause["message"]]
        return answer.status == 422 and len(broken) == 1 and KEYWORDS.get(self.rule, self.rule) in broken[0]


@dataclass(frozen=True)
class LevelRow(LayerRow):
    """An attack that Pod Security refuses; the rule is a check of the namespace's level."""

    def refused(self, answer: Answer) -> bool:
        """Whether this check is the only one that it failed."""
        found = answer.message.partition('violates PodSecurity "restricted:latest": ')[2]
        return answer.forbidden and found.startswith(f"{self.rule} (") and "), " not in found


@dataclass(frozen=True)
class QuotaRow(LayerRow):
    """An attack that the namespace's quota refuses; the rule is the resource that it counts."""

    def refused(self, answer: Answer) -> bool:
        """Whether this resource alone was exceeded."""
        found = answer.message.partition("exceeded quota: ringfence, requested: ")[2].partition(", used: ")[0]
        return answer.forbidden and found.partition("=")[0] == self.rule and "," not in found


KEYWORDS: Final = {
    "enum": "Unsupported value",
    "maxItems": "Too many",
    "maxLength": "Too long",
    "maxProperties": "Too many",
    "maximum": "should be less than or equal to",
    "minimum": "should be greater than or equal to",
    "minLength": "should be at least",
    "pattern": "should match '",
    "required": "Required value",
}
"""What a refusal by a keyword of a schema says."""


def namespace(name: str, subresource: str = "") -> str:
    """The path of a core namespace."""
    return f"/api/v1/namespaces/{name}" + (f"/{subresource}" if subresource else "")


def core(where: str, plural: str, name: str = "") -> str:
    """A path in the core group."""
    return f"/api/v1/namespaces/{where}/{plural}" + (f"/{name}" if name else "")


def group(api: str, where: str, plural: str, name: str = "") -> str:
    """A path in another group; cluster-scoped where ``where`` is empty."""
    scope = f"namespaces/{where}/" if where else ""
    return f"/apis/{api}/{scope}{plural}" + (f"/{name}" if name else "")


def ours(where: str, plural: str, name: str = "") -> str:
    """A path of our own kinds."""
    return group("ringfence.dev/v1alpha1", where, plural, name)


def labelled(**labels: str | None) -> dict[str, Any]:
    """The merge patch that sets labels; two underscores stand for ``ringfence.dev/``."""
    return {"metadata": {"labels": {key.replace("__", "ringfence.dev/"): value for key, value in labels.items()}}}


def named(name: str, body: Mapping[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A manifest without kind, which the path tells."""
    return {"metadata": {"name": name, **metadata}, **(body or {})}


ANY_CHANGE: Final = {"metadata": {"labels": {"team": "search"}}}
RBAC: Final = "rbac.authorization.k8s.io/v1"
NETWORKING: Final = "networking.k8s.io/v1"
