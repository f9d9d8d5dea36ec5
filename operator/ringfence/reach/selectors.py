"""Label selectors as the API server's own library reads them, and what labels could satisfy several of them.

Law: ``NotIn`` and ``DoesNotExist`` match objects that lack the key, the other operators do not
(k8s.io/apimachinery/pkg/labels, ``Requirement.Matches``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Labels = Mapping[str, str]


class Operator(StrEnum):
    """How a requirement judges the value of its key."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


_OPPOSITE: Final = {
    Operator.IN: Operator.NOT_IN,
    Operator.NOT_IN: Operator.IN,
    Operator.EXISTS: Operator.DOES_NOT_EXIST,
    Operator.DOES_NOT_EXIST: Operator.EXISTS,
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on the value of one label."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def admits(self, value: str | None) -> bool:
        """Whether an object with this value may pass; None is an object without the label."""
        match self.operator:
            case Operator.IN:
                return value in self.values
            case Operator.NOT_IN:
                return value not in self.values
            case Operator.EXISTS:
                return value is not None
            case Operator.DOES_NOT_EXIST:
                return value is None

    @property
    def opposite(self) -> "Requirement":
        """The requirement that admits exactly what this one does not."""
        return Requirement(self.key, _OPPOSITE[self.operator], self.values)

    def __str__(self) -> str:
        values = ",".join(sorted(self.values))
        match self.operator:
            case Operator.IN:
                return f"{self.key}={values}" if len(self.values) == 1 else f"{self.key} in ({values})"
            case Operator.NOT_IN:
                return f"{self.key} notin ({values})"
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Requirements that must all hold; without any, everything is selected."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "Selector":
        """The selector that a ``metav1.LabelSelector`` says. Raises ValueError for an operator that does not exist."""
        labels = [require(key, value) for key, value in sorted((raw.get("matchLabels") or {}).items())]
        expressions = [
            Requirement(each["key"], Operator(each["operator"]), frozenset(each.get("values") or ()))
            for each in raw.get("matchExpressions") or ()
        ]
        return cls((*labels, *expressions))

    @classmethod
    def of(cls, labels: Labels) -> "Selector":
        """The selector of objects that bear all these labels."""
        return cls(tuple(require(key, value) for key, value in sorted(labels.items())))

    def matches(self, labels: Labels) -> bool:
        """Whether an object with these labels is selected."""
        return all(each.admits(labels.get(each.key)) for each in self.requirements)

    def __str__(self) -> str:
        return ", ".join(str(each) for each in self.requirements)


EVERYTHING: Final = Selector()


def require(key: str, *values: str) -> Requirement:
    """The label must be there with one of these values."""
    return Requirement(key, Operator.IN, frozenset(values))


def forbid(key: str, *values: str) -> Requirement:
    """The label must not have one of these values; it may be missing."""
    return Requirement(key, Operator.NOT_IN, frozenset(values))


def witness(required: Iterable[Selector], avoided: Sequence[Selector] = ()) -> dict[str, str] | None:
    """Labels that all of ``required`` and none of ``avoided`` select, as few as possible; None where there are none.

    To avoid a selector is to break one of its requirements: each is tried in turn.
    """
    requirements = tuple(each for selector in required for each in selector.requirements)
    labels = _satisfying(requirements)
    if labels is None:
        return None
    matching = (selector for selector in avoided if selector.matches(labels))
    broken = min(matching, key=lambda selector: len(selector.requirements), default=None)
    if broken is None:
        return labels
    for each in broken.requirements:
        found = witness([Selector((*requirements, each.opposite))], avoided)
        if found is not None:
            return found
    return None


def implies(narrow: Selector, wide: Selector) -> bool:
    """Whether everything that ``narrow`` selects is selected by ``wide`` too."""
    return witness([narrow], [wide]) is None


def _satisfying(requirements: Sequence[Requirement]) -> dict[str, str] | None:
    labels = {}
    for key in dict.fromkeys(each.key for each in requirements):
        own = [each for each in requirements if each.key == key]
        fitting = [value for value in _candidates(own) if all(each.admits(value) for each in own)]
        if not fitting:
            return None
        if fitting[0] is not None:
            labels[key] = fitting[0]
    return labels


def _candidates(requirements: Sequence[Requirement]) -> Iterable[str | None]:
    """No label, each value that is spoken of, and one that is not: any other value behaves like that one."""
    spoken = sorted({value for each in requirements for value in each.values})
    return (None, *spoken, next(value for number in range(len(spoken) + 1) if (value := f"any{number}") not in spoken))
