"""The reference of conditions and reasons, made from the enums that decide.

Law: what is not documented there does not exist.
"""

from collections.abc import Iterable

from ringfence.plan.reasons import ConditionType, Reason

_HEAD = """# Conditions and reasons

Generated from `operator/ringfence/plan/reasons.py` by `ringfence generate`. Do not edit.

Conditions are `metav1.Condition` and follow kstatus: `Ready` is on every object, `Reconciling` and `Stalled` are there
only while they are true. Each condition carries the generation of the object that it was judged by. A reason is an
identifier for programs and keeps its meaning; a message is for people, names the object and says what to do next.
"""


def reference_conditions() -> str:
    """The page as Markdown."""
    return "\n".join(
        (
            _HEAD,
            "## Conditions",
            "",
            *_table("Type", ((kind.value, kind.meaning) for kind in ConditionType)),
            "",
            "## Reasons",
            "",
            *_table("Reason", ((reason.value, reason.meaning) for reason in Reason)),
            "",
        )
    )


def _table(title: str, rows: Iterable[tuple[str, str]]) -> Iterable[str]:
    yield f"| {title} | Meaning |"
    yield "|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in rows)
