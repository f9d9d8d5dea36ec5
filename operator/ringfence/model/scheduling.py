"""Where workloads run, and with which precedence."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ringfence.model.fields import DnsSubdomain, LabelKey, LabelMap, LabelValue
from ringfence.model.rules import Model, Rule, Unique


class Toleration(Model):
    """A taint that workloads may tolerate. It names its key: a toleration of everything reaches every node."""

    invariants: ClassVar = (
        Rule(
            "!has(self.operator) || self.operator != 'Exists' || !has(self.value)",
            "value belongs to operator Equal",
            lambda toleration: toleration.operator != "Exists" or toleration.value is None,
        ),
    )

    key: LabelKey
    """Key of the taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """How `value` is compared; `Equal` where it is left out."""
    value: LabelValue | None = None
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; every effect where it is left out."""


class Scheduling(Model):
    """What workloads may ask of the scheduler beyond the default."""

    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] = ()
    """Taints that workloads may tolerate."""
    node_selector: LabelMap = Field(default_factory=dict)
    """Node labels that workloads may select."""
    runtime_classes: Annotated[tuple[DnsSubdomain, ...], Field(max_length=16), Unique()] = ()
    """RuntimeClasses that workloads may use."""
    priority_classes: Annotated[
        tuple[DnsSubdomain, ...],
        Field(max_length=16),
        Unique(),
        Rule(
            "self.all(c, !c.startsWith('system-'))",
            "the classes of the system are refused",
            lambda classes: not any(name.startswith("system-") for name in classes),
        ),
    ] = ()
    """PriorityClasses that workloads may use."""
