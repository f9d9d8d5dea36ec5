"""What a probe asks, and what the answer tells of the policy that it is about.

Law: only the policy's own words count. A request that something else refused says nothing of the policy, and one that
was let pass says that it is not in force.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from ringfence import names
from ringfence.admission.catalogue import VALIDATIONS
from ringfence.admission.policy import Policy
from ringfence.model.kinds import ResourceType

JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
# HTTP's own boundaries, and what no policy ever answers.
_REFUSED: Final = 400
_BROKEN: Final = 500
_TOO_MANY: Final = 429
_NOT_FOUND: Final = 404
UNCONFIGURED: Final = ("failed to configure policy:", "failed to configure binding:")
"""What the API server says (k8s.io/apiserver, admission/plugin/policy) where it can't ask a policy yet."""
_NOT_ASKED: Final = (*UNCONFIGURED, "not yet ready to handle request")


class Asker(Enum):
    """Who asks."""

    CANARY = names.CANARY_USER
    OPERATOR = names.OPERATOR_USER


class Verdict(Enum):
    """What an answer tells of a policy."""

    HELD = "is in force"
    ACCEPTED = "lets pass what it should refuse"
    OTHERWISE = "did not answer itself"
    UNKNOWN = "could not be asked"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server said; status 0 where it said nothing."""

    status: int
    message: str = ""
    warnings: Sequence[str] = ()
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """This rule refuses; where its policy only warns, it warns."""

    rule: str
    fills: str = ""
    """The mutating policy without which another rule would have refused first."""

    @property
    def policy(self) -> Policy:
        """Whose rule it is."""
        return VALIDATIONS[self.rule][0]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a mutating policy fills in: the answer has ``value`` at ``path``."""

    fills: str
    path: tuple[str | int, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class Probe:
    """One request, and what is expected."""

    expects: Refusal | Stamp
    path: str
    body: Mapping[str, Any]
    method: str = "POST"
    content_type: str = JSON
    dry: bool = True
    """False for a request that stores nothing in any case."""
    asker: Asker = Asker.CANARY
    needs: ResourceType | None = None
    """A type that the cluster need not serve; without it there is nothing to ask."""

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?dryRun=All" if self.dry else self.path

    @property
    def subject(self) -> str:
        """The policy that it is about, as people call it."""
        if isinstance(self.expects, Stamp) or self.expects.fills:
            return f"MutatingAdmissionPolicy {self.expects.fills}"
        return f"ValidatingAdmissionPolicy {self.expects.policy.name}"

    @property
    def essential(self) -> bool:
        """Whether the fence rests on the policy; what is only filled in or told, people can write or find out."""
        return isinstance(self.expects, Refusal) and not (self.expects.fills or self.expects.policy.warns)


def judge(probe: Probe, answer: Answer) -> Verdict:
    """What the answer says of the probe's policy."""
    unheard = not answer.status or answer.status == _TOO_MANY or answer.status >= _BROKEN
    if unheard or any(sign in answer.message for sign in _NOT_ASKED):
        return Verdict.UNKNOWN
    held = _stamped(probe.expects, answer) if isinstance(probe.expects, Stamp) else _refused(probe.expects, answer)
    if held:
        return Verdict.HELD
    # There is no pod to connect to, or to evict: whoever says so has let the request pass.
    passed = answer.status < _REFUSED or (answer.status == _NOT_FOUND and "/pods/" in probe.path)
    return Verdict.ACCEPTED if passed else Verdict.OTHERWISE


def _stamped(stamp: Stamp, answer: Answer) -> bool:
    found: Any = answer.body
    for step in stamp.path:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return False
    return answer.status < _REFUSED and bool(found == stamp.value)


def _refused(refusal: Refusal, answer: Answer) -> bool:
    policy, validation = VALIDATIONS[refusal.rule]
    texts = answer.warnings if policy.warns else (answer.message,)
    told = any(f"'{policy.name}'" in text and validation.says in text for text in texts)
    return told and (answer.status < _REFUSED) == policy.warns
