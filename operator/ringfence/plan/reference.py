"""The reference of conditions, reasons and rights, made from the enums and tables that decide.

Law: what is not documented there does not exist.
"""

from collections.abc import Iterable

from ringfence import names
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.roles import OPERATOR, Right, rights_of

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


_ROLES_HEAD = """# Roles

Generated from `operator/ringfence/plan/roles.py` by `ringfence generate`. Do not edit.

Each role has what stands in its column and everything in the columns left of it. Members of a tenant get the roles of
core namespaces by a RoleBinding in each of them, the others by one in the home namespace. Nobody gets a right across
namespaces.
"""


def reference_roles() -> str:
    """The page as Markdown."""
    return "\n".join(
        (
            _ROLES_HEAD,
            "## In core namespaces",
            "",
            *_matrix(home=False),
            "",
            "## In home namespaces",
            "",
            *_matrix(home=True),
            "",
            "## The operator",
            "",
            "| Group | Resources | Verbs | Only |",
            "|---|---|---|---|",
            *(_operator_row(right) for right in OPERATOR),
            "",
        )
    )


def _matrix(*, home: bool) -> Iterable[str]:
    rising = tuple(reversed(names.ROLES))
    rights = {role: rights_of(role, home=home) for role in rising}
    yield f"| Group | Resource | {' | '.join(rising)} |"
    yield "|---|---|" + "---|" * len(rising)
    for group, resource in sorted({(group, resource) for group, resource, _ in rights[rising[-1]]}):
        below: frozenset[str] = frozenset()
        cells = []
        for role in rising:
            verbs = frozenset(v for g, r, v in rights[role] if (g, r) == (group, resource))
            cells.append(" ".join(sorted(verbs - below)))
            below = verbs
        yield f"| {group or 'core'} | {resource} | {' | '.join(cells)} |"


def _operator_row(right: Right) -> str:
    cells = (right.resources, right.verbs, right.only)
    return f"| {right.group or 'core'} | {' | '.join(' '.join(sorted(cell)) for cell in cells)} |"
