"""The authorization matrix, cell by cell, on a real API server: the roles alone, whatever admission would say."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.cli.glass import REASON
from ringfence.controlplane import ControlPlane
from ringfence.plan.authorization import PLACES, Actor, allowed, questions
from ringfence.plan.rights import Action, actions
from ringfence.plan.roles import SHELL
from tests.access_reviews import Ask, Identity, Reviews
from tests.attack.conftest import Grounds, binding, group, namespace_object, tenant_object
from tests.controlplane_fixtures import Kubectl
from tests.operating import USER, OperatorProcess
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

FRONTEND: Final = {
    "name": "local",
    "schema": "OpenAI",
    "service": {"namespace": "models", "name": "llama", "port": 8000},
    "models": ["llama"],
}
# Where each kind of place is, and whose people ask. Green has one of each, blue is the other tenant, grey is closed.
WHERE: Final = {
    "home": ("green", "green"),
    "open": ("green", "green-dev"),
    "protected": ("green", "green-prod"),
    "frontend": ("green", "green-models"),
    "quarantined home": ("grey", "grey"),
    "quarantined": ("grey", "grey-dev"),
    "foreign home": ("green", "blue"),
    "foreign": ("green", "blue-dev"),
    "platform": ("green", names.OPERATOR_NAMESPACE),
    "cluster": ("green", ""),
}
OPERATOR: Final = frozenset({Actor.OPERATOR})
OTHERS: Final = frozenset(Actor) - OPERATOR  # nobody can be two ServiceAccounts at once, so the operator is asked apart


@dataclass(frozen=True)
class Cell:
    """Actors whom the matrix gives the same answer."""

    place: str
    action: Action
    actors: frozenset[Actor]
    allowed: bool

    @property
    def ask(self) -> Ask:
        """All of them in one: RBAC only adds, so what is denied to one who is all of them is denied to each."""
        tenant, namespace = WHERE[self.place]
        return Ask(identity(self.actors, tenant), self.action, namespace)

    def __str__(self) -> str:
        who = ", ".join(sorted(actor.name.lower() for actor in self.actors))
        return f"{self.place}: {who} {'may' if self.allowed else 'may not'} {self.action}"


def identity(actors: frozenset[Actor], tenant: str) -> Identity:
    """A user of these groups; a ServiceAccount where one of them is one."""
    accounts = {Actor.OPERATOR: USER, Actor.WORKLOAD: f"system:serviceaccount:{tenant}-dev:default"}
    user = next((accounts[actor] for actor in accounts if actor in actors), "somebody")
    return Identity(user, tuple(sorted(group(tenant, actor.name.lower()) for actor in actors - set(accounts))))


def environments(tenant: str) -> list[dict[str, Any]]:
    """Two, and for the second an approver who is nothing else in the tenant."""
    approvers = [{"group": group(tenant, Actor.APPROVER.name.lower())}]
    return [{"name": "dev"}, {"name": "prod", "protected": True, "approvers": approvers}]


def cells() -> Iterator[Cell]:
    """The whole matrix; the operator's rights are the same in every namespace of a tenant and asked in two of them."""
    for name, place in PLACES.items():
        asked = (OTHERS, OPERATOR) if name in {"home", "open", "platform", "cluster"} else (OTHERS,)
        for action, actors in product(sorted(questions(place)), asked):
            may = frozenset(actor for actor in actors if action in allowed(actor, place))
            yield from (Cell(name, action, frozenset({actor}), allowed=True) for actor in may)
            if actors - may:
                yield Cell(name, action, actors - may, allowed=False)


@pytest.fixture(scope="module")
def grounds(operator: OperatorProcess, kubectl: Kubectl) -> Grounds:
    """Green, blue and grey, as the operator makes them."""
    assert operator.running
    found = Grounds(kubectl)
    found.begin("green", environments=environments("green"), providers=[FRONTEND])
    found.put(namespace_object("prod", "green", environment="prod"), namespace_object("models", "green"))
    found.begin("blue")
    found.begin("grey", environments=environments("grey"))
    incident = {"id": "INC-1", "reason": "drill"}
    found.put(tenant_object("grey", environments=environments("grey"), isolation="Quarantined", incident=incident))
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", "green", "tns", "--all")
    return found


@pytest.fixture(scope="module")
def reviews(controlplane: ControlPlane, grounds: Grounds) -> Reviews:
    """Asks once the API server goes by the operator's last binding."""
    found = Reviews(controlplane)
    eventually(lambda: surplus(found, Actor.OWNER, "quarantined") == frozenset())
    return found


def surplus(reviews: Reviews, actor: Actor, place: str) -> frozenset[Action]:
    """What the actor may do there and should not, or the reverse; what everybody may (asking who he is) apart."""
    tenant, namespace = WHERE[place]
    told = reviews.rules(identity(frozenset({actor}), tenant), namespace)
    everybody = reviews.rules(Identity("nobody"), namespace)
    return (told - everybody) ^ allowed(actor, PLACES[place])


def test_every_cell_is_as_the_matrix_says(reviews: Reviews) -> None:
    """One SubjectAccessReview for each thing that is allowed, and one for all to whom it is denied."""
    matrix = list(cells())
    answers = reviews.allow([cell.ask for cell in matrix])
    assert [str(cell) for cell, answer in zip(matrix, answers, strict=True) if answer != cell.allowed] == []


@pytest.mark.parametrize("place", [place for place in WHERE if WHERE[place][1]])
def test_nobody_has_a_right_beside_the_matrix(reviews: Reviews, place: str) -> None:
    """The API server tells each actor all that he may do there, of whatever resource: it is the table, and no more."""
    found = {actor.name: surplus(reviews, actor, place) for actor in Actor}
    assert {name: sorted(map(str, more)) for name, more in found.items() if more} == {}


def test_everybody_may_only_ask_about_himself(reviews: Reviews) -> None:
    """What the matrix leaves out because the API server gives it to all users."""
    everybody = reviews.rules(Identity("nobody"), "green-dev")
    assert {(action.verb, action.resource.startswith("self")) for action in everybody} == {("create", True)}


def test_a_stray_binding_is_found(reviews: Reviews, grounds: Grounds) -> None:
    """The check itself: a binding that nobody planned shows as what it gives."""
    stray = binding("stray", "green-prod", names.tenant_role(names.SHELL), "somebody")
    stray["metadata"]["annotations"] = REASON  # the policies would refuse it, and nobody asks them here
    assert surplus(reviews, Actor.VIEWER, "protected") == frozenset()
    grounds.put(stray)
    try:
        eventually(lambda: surplus(reviews, Actor.VIEWER, "protected") == actions(SHELL))
    finally:
        grounds.kubectl("delete", "rolebinding", "stray", "-n", "green-prod")
