"""Steps of a walk: what people do to a cluster, rightly and wrongly, while the operator works, sleeps or dies.

Law: the model is told what the API server took, and of nothing else. What is refused changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any, Final

from ringfence import names
from ringfence.cli.glass import REASON
from ringfence.model.kinds import (
    CORE_NAMESPACE,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    TENANT,
    Ref,
    ResourceType,
)
from tests.attack import rows_access, rows_fence, rows_limits, rows_network, rows_roles, rows_schema, rows_tenants
from tests.attack.asking import Answer, Asker, Request, Who
from tests.attack.prepared import ADMINISTRATOR, GITOPS, SECOND, annotated, member
from tests.attack.rows import Row
from tests.operating import OperatorProcess
from tests.simulation import ref_of
from tests.walk import wishes
from tests.walk.model import Model

_MERGE: Final = "application/merge-patch+json"
_ACCOUNT: Final = "system:serviceaccount:"
_BY_STATE: Final = (
    "glass-step-up",
    "network-policy-private",
    "network-policy-quarantine",
    "role-binding-quarantine",
    "role-binding-shell",
    "secret-",
    "shell-",
    "token-age",
)
"""Rules about what a Tenant may or may not say; in a walk it often does not."""
LONGEST_PAUSE: Final = timedelta(hours=1)


def _always_wrong(row: Row) -> bool:
    who, request = row.attack
    connects = request.connects and request.method != "GET" and not request.headers
    return not (connects or who.user.startswith(_ACCOUNT) or row.rule.startswith(_BY_STATE))


ATTACKS: Final = tuple(
    row
    for rows in (rows_access, rows_fence, rows_limits, rows_network, rows_roles, rows_schema, rows_tenants)
    for row in rows.ROWS
    if _always_wrong(row)
)
"""Rows of the attack table that are wrong in every state of a cluster; here they are meant."""


@dataclass
class Walk:
    """One walk through a cluster's life."""

    random: Random
    model: Model
    asker: Asker
    operator: OperatorProcess
    told: list[str] = field(default_factory=list)
    """What was done so far, for whoever must understand a failure."""
    deck: list["Step"] = field(default_factory=list)
    taken: int = 0
    """How many requests the API server took."""
    effective: set["Step"] = field(default_factory=set)
    """Steps of which it took anything: what is only ever refused proves nothing about its consequences."""

    def begin(self) -> Iterator[bool]:
        """There are tenants with namespaces, for what comes to be about somebody.

        Each is there before the next is asked for: whose budget is spent first depends on who was looked at first.
        """
        for home in wishes.HOMES:
            yield self.write(ADMINISTRATOR, wishes.tenant(self.random, home))
        for home, name in product(wishes.HOMES, ("dev", "prod")):
            yield self.write(GITOPS, wishes.namespace(self.random, home, name))

    def step(self) -> None:
        """Do the next thing: steps are dealt like cards, so that none is forgotten for long."""
        if not self.deck:
            self.deck = [step for step, count in _STEPS for _ in range(count)]
            self.random.shuffle(self.deck)
        step, taken = self.deck.pop(), self.taken
        step(self)
        if self.taken > taken:
            self.effective.add(step)

    def tell(self, what: str) -> None:
        """Note what was done."""
        self.told.append(what)

    # --- what people wish

    def wish_tenant(self) -> None:
        """The platform team writes a Tenant, anew or otherwise than before."""
        home = self._home()
        self.write(self.random.choice((ADMINISTRATOR, GITOPS)), wishes.tenant(self.random, home))

    def wish_namespace(self) -> None:
        """A tenant's admin, or the platform team, writes a Namespace object."""
        home = self._home()
        who = self.random.choice((member(home, "admin"), GITOPS))
        self.write(who, wishes.namespace(self.random, home, self._name()))

    def delete_tenant(self) -> None:
        """Two persons delete a Tenant."""
        ref = self._existing(TENANT)
        self.change(SECOND, ref, annotated({names.CONFIRM_DELETE_ANNOTATION: ref.name}))
        self.delete(ADMINISTRATOR, ref)

    def delete_namespace(self) -> None:
        """A tenant's admin deletes a Namespace object."""
        ref = self._existing(NAMESPACE)
        self.delete(self.random.choice((member(ref.namespace, "admin"), GITOPS)), ref)

    def quarantine(self) -> None:
        """Somebody declares an incident."""
        ref = self._one()
        self.change(GITOPS, ref, {"spec": wishes.INCIDENT if ref.type == TENANT else {"isolation": "Quarantined"}})

    def release(self) -> None:
        """Two persons end an incident."""
        for ref in (self._existing(TENANT), self._existing(NAMESPACE)):
            self.change(SECOND, ref, annotated({names.CONFIRM_RELEASE_ANNOTATION: ref.name}))
            self.change(
                ADMINISTRATOR, ref, {"spec": wishes.NO_INCIDENT if ref.type == TENANT else {"isolation": "Enforced"}}
            )

    def pause(self) -> None:
        """An administrator suspends repair."""
        until = (datetime.now(UTC) + LONGEST_PAUSE).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.change(ADMINISTRATOR, self._one(), annotated({names.PAUSED_UNTIL_ANNOTATION: until, **REASON}))

    def go_on(self) -> None:
        """Nothing is suspended any more."""
        for home in wishes.HOMES:
            for ref in (Ref(TENANT, "", home), *(Ref(NAMESPACE, home, name) for name in wishes.NAMESPACES)):
                if names.PAUSED_UNTIL_ANNOTATION in self._notes(ref):
                    self.change(ADMINISTRATOR, ref, annotated({names.PAUSED_UNTIL_ANNOTATION: None}))

    # --- what is beside the wishes

    def own_policy(self) -> None:
        """A tenant's admin opens a port among the tenant's own pods."""
        ref = self._existing(NAMESPACE)
        core = names.core_namespace(ref.namespace, ref.name)
        self.write(member(ref.namespace, "admin"), wishes.policy(core, ref.namespace, wishes.NAMESPACES[ref.name]))

    def take_the_name(self) -> None:
        """Somebody has a namespace of a name that a tenant wants, or gives it up."""
        ref = Ref(CORE_NAMESPACE, "", names.core_namespace(self._home(), "web"))
        found = self.model.there(ref)
        if found is None:
            self.write(GITOPS, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ref.name}})
        elif names.TENANT_LABEL not in found["metadata"].get("labels", {}):
            self.delete(GITOPS, ref)

    def break_the_fence(self) -> None:
        """An administrator breaks the glass and deletes what the operator made."""
        ref = self._existing(NAMESPACE)
        core = names.core_namespace(ref.namespace, ref.name)
        kind, name = self.random.choice(
            (
                (NETWORK_POLICY, names.DENY_ALL),
                (RESOURCE_QUOTA, names.QUOTA),
                (ROLE_BINDING, names.role_binding("developer")),
            )
        )
        if self.change(ADMINISTRATOR, Ref(kind, core, name), annotated(REASON)):
            self.delete(ADMINISTRATOR, Ref(kind, core, name))

    def attack(self) -> None:
        """Several rows of the attack table, and this time they are meant; each is refused in whatever state."""
        for row in self.random.sample(ATTACKS, 6):
            who, request = row.attack
            answer = self._ask(who, _meant(request))
            self.tell(f"attack {row.id!r} by {who.user}: {answer.status}")
            assert answer.status >= 400, "\n".join([*self.told, f"the API server took it: {answer.body}"])

    # --- the operator

    def kill(self) -> None:
        """It dies, and is away for a while."""
        self.tell("operator killed")
        self.operator.kill()

    def start(self) -> None:
        """It comes back."""
        self.tell("operator started")
        self.operator.keep_running()

    def kill_in_the_middle(self) -> None:
        """It dies while it works, and comes back at once."""
        alive = self.operator.running
        self.wish_tenant()
        self.wish_namespace()
        if alive:
            self.kill()
            self.start()

    # --- requests

    def write(self, who: Who, manifest: Mapping[str, Any]) -> bool:
        """Create an object, or replace its spec; answers whether the API server took it."""
        ref = ref_of(manifest)
        if self.model.there(ref) is None:
            return self._took(who, Request("POST", ref.path.rpartition("/")[0], manifest, {}), ref)
        return self.change(who, ref, {"spec": manifest["spec"]})

    def change(self, who: Who, ref: Ref, body: Mapping[str, Any]) -> bool:
        """Change an object by a merge patch."""
        return self._took(who, Request("PATCH", ref.path, body, {}, _MERGE), ref)

    def delete(self, who: Who, ref: Ref) -> bool:
        """Delete an object."""
        answer = self._ask(who, Request("DELETE", ref.path, None, {}))
        self.tell(f"{who.user} deletes {ref}: {answer.status}")
        if answer.status < 400:
            self.taken += 1
            self.model.lost(ref)
        return answer.status < 400

    def _took(self, who: Who, request: Request, ref: Ref) -> bool:
        answer = self._ask(who, request)
        self.tell(f"{who.user} {request.method} {ref} {request.body}: {answer.status} {answer.message[:200]}")
        if answer.status < 400:
            self.taken += 1
            self.model.took(answer.body)
        return answer.status < 400

    def _ask(self, who: Who, request: Request) -> Answer:
        (answer,) = self.asker.ask([(who, request)])
        assert answer.status < 500, f"{request}: {answer}"
        return answer

    # --- chance

    def _home(self) -> str:
        return self.random.choice(wishes.HOMES)

    def _name(self) -> str:
        return self.random.choice(sorted(wishes.NAMESPACES))

    def _one(self) -> Ref:
        """A Tenant or a Namespace object."""
        return self._existing(self.random.choice((TENANT, NAMESPACE)))

    def _existing(self, kind: ResourceType) -> Ref:
        """One that is there, while there is any."""
        found = sorted(str(ref.path) for ref in self.model.world.objects if ref.type == kind)
        if found:
            chosen = self.random.choice(found)
            return next(ref for ref in self.model.world.objects if ref.path == chosen)
        home = self._home()
        return Ref(TENANT, "", home) if kind == TENANT else Ref(NAMESPACE, home, self._name())

    def _notes(self, ref: Ref) -> Mapping[str, str]:
        thing = self.model.there(ref)
        found: Mapping[str, str] = thing["metadata"].get("annotations", {}) if thing else {}
        return found


def _meant(request: Request) -> Request:
    """The same without a dry run."""
    query = {key: value for key, value in request.query.items() if key != "dryRun"}
    body = {key: value for key, value in request.body.items() if key != "dryRun"} if request.body else request.body
    return Request(request.method, request.path, body, query, request.content_type, request.headers)


Step = Callable[[Walk], None]
_STEPS: Final[tuple[tuple[Step, int], ...]] = (
    (Walk.wish_tenant, 3),
    (Walk.wish_namespace, 8),
    (Walk.delete_tenant, 1),
    (Walk.delete_namespace, 2),
    (Walk.quarantine, 1),
    (Walk.release, 1),
    (Walk.pause, 1),
    (Walk.go_on, 1),
    (Walk.own_policy, 2),
    (Walk.take_the_name, 1),
    (Walk.break_the_fence, 2),
    (Walk.attack, 4),
    (Walk.kill, 1),
    (Walk.start, 2),
    (Walk.kill_in_the_middle, 1),
)
"""Each step, and how many of it are in the deck."""
TO_BE_TAKEN: Final = frozenset({Walk.delete_namespace, Walk.delete_tenant, Walk.quarantine})
"""What the API server takes at least once on a walk that deals all cards: each ends something that stood."""
ALL_STEPS: Final = sum(count for _, count in _STEPS)
