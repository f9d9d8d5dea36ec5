"""Who may do what in a simulated cluster, by the RoleBindings that stand there, and what its policies open."""

from collections.abc import Iterator
from typing import Any

from ringfence import names
from ringfence.model.kinds import NETWORK_POLICY, ROLE_BINDING
from ringfence.plan.rights import Action, actions
from ringfence.plan.roles import APPROVER, CORE, HOME, SHELL, held
from tests.simulation import Simulation

_ROLES = {
    **{names.tenant_role(role): held(role, CORE) for role in names.ROLES},
    **{names.home_role(role): held(role, HOME) for role in names.ROLES},
    names.tenant_role(names.SHELL): actions(SHELL),
    names.home_role(names.APPROVER): actions(APPROVER),
}


def rights(world: Simulation) -> frozenset[tuple[str, str, Action]]:
    """Everything that somebody may do: namespace, subject, action."""
    return frozenset(_rights(world))


def openings(world: Simulation) -> frozenset[tuple[str, str]]:
    """Namespace and name of every policy that opens something."""
    policies = (ref for ref in world.objects if ref.type == NETWORK_POLICY and ref.name != names.DENY_ALL)
    return frozenset((ref.namespace, ref.name) for ref in policies)


def _rights(world: Simulation) -> Iterator[tuple[str, str, Action]]:
    for ref, binding in world.objects.items():
        if ref.type == ROLE_BINDING:
            for subject in binding["subjects"]:
                yield from ((ref.namespace, _name(subject), each) for each in _ROLES[binding["roleRef"]["name"]])


def _name(subject: dict[str, Any]) -> str:
    return ":".join(filter(None, (subject["kind"], subject.get("namespace", ""), subject["name"])))
