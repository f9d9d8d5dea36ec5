"""The reference of roles: the authorization matrix as people read it.

Law: each table here is made from a table that decides.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from ringfence import names
from ringfence.plan.authorization import NEVER, PLACES, Actor, Place, allowed
from ringfence.plan.operator_rights import AT_HOME, EVERYWHERE
from ringfence.plan.rights import Action, Right, actions
from ringfence.plan.roles import APPROVER, BINDABLE, CORE, HOME, SHELL, Table, held

_HEAD: Final = """# Roles

Generated from the tables in `operator/ringfence/plan` by `ringfence generate`. Do not edit. The tests ask a real API
server about every cell, by a SubjectAccessReview each, and whether anybody has a right that is not here.

## Who

"""
_WHERE: Final = """
## Where

What stands here are the tables below. Nobody of a tenant gets a right across namespaces, and nobody one in another
tenant's namespace or in the operator's.

"""
_TABLES: Final = """
Each role has what stands in its column and everything in the columns left of it.

"""
_SHELL: Final = """
## A shell

A ClusterRole of its own, because RBAC knows no environments. It is bound to developers, admins and owners in core
namespaces whose Guardrail says `execAllowed`: not in a protected environment, not where a private model frontend runs
and not in quarantine.

"""
_APPROVER: Final = """
## An approver

A ClusterRole of its own, bound in the home namespace to everybody whom an environment of the Tenant names in
`approvers`, but for ServiceAccounts, which approve nothing. Whoever may not create routes changes nothing of them but
`approvals` ([`approver-approves`](policies.md)). In quarantine nobody has it.

"""
_OPERATOR: Final = """
## The operator

In every namespace:

"""
_NEVER: Final = """
## What no role gives

Neither one of a tenant's nor the operator's: each is a way around the fence.

"""


def reference_roles() -> str:
    """The page as Markdown."""
    return "".join(
        (
            _HEAD,
            _table(("Actor", "Is"), ((_name(actor), actor.value) for actor in Actor)),
            _WHERE,
            _table(("Place", *map(_name, Actor)), map(_places_row, PLACES.values())),
            "\n## In core namespaces\n",
            _TABLES,
            _roles(CORE),
            _SHELL,
            _table(("Group", "Resource", "Verbs"), _by_resource(actions(SHELL))),
            "\n## In home namespaces\n",
            _TABLES,
            _roles(HOME),
            _APPROVER,
            _table(("Group", "Resource", "Verbs"), _by_resource(actions(APPROVER))),
            _OPERATOR,
            _table(("Group", "Resources", "Verbs", "Only"), map(_right, EVERYWHERE)),
            f"\nIn `{names.OPERATOR_NAMESPACE}` besides:\n\n",
            _table(("Group", "Resources", "Verbs", "Only"), map(_right, AT_HOME)),
            _NEVER,
            _table(("Group", "Resource", "Verbs"), _by_resource(NEVER)),
        )
    )


def _places_row(place: Place) -> Iterable[str]:
    return (place.title, *(_cell(actor, place) for actor in Actor))


def _cell(actor: Actor, place: Place) -> str:
    """What the actor has in that place, by the name of a table."""
    if not allowed(actor, place):
        return "nothing"
    if actor.role is None:
        return _name(actor)
    kind = "home" if place.table is HOME else "core"
    role = "viewer" if place.read_only else actor.role
    return f"{kind} {role}{', shell' if actions(SHELL) <= allowed(actor, place) else ''}"


def _roles(table: Table) -> str:
    rising = tuple(reversed(names.ROLES))
    return _table(("Group", "Resource", *rising), _role_rows({role: held(role, table) for role in rising}))


def _role_rows(rights: Mapping[str, frozenset[Action]]) -> Iterable[Iterable[str]]:
    for group, resource in sorted({(action.group, action.resource) for each in rights.values() for action in each}):
        cells, below = [], frozenset[str]()
        for held_here in rights.values():
            verbs = frozenset(
                action.verb for action in held_here if (action.group, action.resource) == (group, resource)
            )
            cells.append(" ".join(sorted(verbs - below)))
            below = verbs
        yield (group or "core", resource, *cells)


def _by_resource(found: frozenset[Action]) -> Iterable[Iterable[str]]:
    for group, resource in sorted({(action.group, action.resource) for action in found}):
        here = [action for action in found if (action.group, action.resource) == (group, resource)]
        yield (group or "core", resource, " ".join(sorted({_verb(action) for action in here})))


def _verb(action: Action) -> str:
    return f"{action.verb}({action.name})" if action.name else action.verb


def _right(right: Right) -> Iterable[str]:
    only = "the roles of tenants" if right.only == BINDABLE else " ".join(sorted(right.only))
    return (right.group or "core", " ".join(sorted(right.resources)), " ".join(sorted(right.verbs)), only)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = tuple(head)
    lines = [titles, ("---",) * len(titles), *map(tuple, rows)]
    return "".join(f"| {' | '.join(_escaped(cell) for cell in line)} |\n" for line in lines)


def _escaped(cell: str) -> str:
    return r"\*" if cell == "*" else cell


def _name(actor: Actor) -> str:
    return actor.name.lower()
