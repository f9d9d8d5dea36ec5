"""What a custom resource's status tells, in a form for assertions."""

from ringfence.model.kinds import CORE_NAMESPACE, ROLE_BINDING, Ref, ResourceType
from tests.simulation import Object, Simulation


def told(world: Simulation, ref: Ref, kind: str = "Ready") -> tuple[str, str] | None:
    """Status and reason of a condition; None where it is not there."""
    conditions = world.objects[ref].get("status", {}).get("conditions", [])
    return next(((each["status"], each["reason"]) for each in conditions if each["type"] == kind), None)


def message(world: Simulation, ref: Ref, kind: str = "Ready") -> str:
    """The message of a condition."""
    conditions = world.objects[ref]["status"]["conditions"]
    return next(str(each["message"]) for each in conditions if each["type"] == kind)


def core(world: Simulation, name: str) -> Object | None:
    """A core namespace."""
    return world.objects.get(Ref(CORE_NAMESPACE, "", name))


def inside(world: Simulation, namespace: str, kind: ResourceType) -> dict[str, Object]:
    """Objects of one type in a namespace, by name."""
    return {ref.name: thing for ref, thing in world.objects.items() if (ref.namespace, ref.type) == (namespace, kind)}


def people(world: Simulation, namespace: str) -> dict[str, list[str]]:
    """Names of those who hold a role, by binding."""
    bindings = inside(world, namespace, ROLE_BINDING)
    return {name: [subject["name"] for subject in thing["subjects"]] for name, thing in bindings.items()}
