"""What to do so that a denied connection becomes possible, or why nothing does.

Law: advice names the object and the field; where the fence is meant to stay closed it says so instead.
"""

from collections.abc import Iterator

from ringfence import names
from ringfence.reach.addresses import Address
from ringfence.reach.decide import Answer, Verdict
from ringfence.reach.ports import Port
from ringfence.reach.tenancy import Tenancy
from ringfence.reach.world import External, Pod, World


def advice(world: World, verdict: Verdict, port: Port | None) -> tuple[str, ...]:
    """The next steps for a connection that is denied; empty for any other."""
    source, target = verdict.egress.end, verdict.ingress.end
    if verdict.answer(port) is not Answer.DENIED:
        return ()
    match source, target:
        case Pod(), Pod():
            return tuple(_between_pods(world, verdict, source, target, port))
        case Pod(), External():
            return (_to_outside(world, source, target.address, port),)
        case External(), Pod():
            return (_from_outside(world, target),)
    return ()


def _between_pods(world: World, verdict: Verdict, source: Pod, target: Pod, port: Port | None) -> Iterator[str]:
    here, there = (Tenancy.of(world.labels(pod.namespace)) for pod in (source, target))
    if here is None and there is None:
        yield "neither namespace is a tenant's: its policies belong to whoever wrote them"
    elif here is None:
        yield _from_platform(source.namespace, there)
    elif there is None:
        yield _to_platform(here, target.namespace)
    elif not here.is_one_with(there):
        yield f"{here.tenant} and {there.tenant} are two tenants: neither can declare anything that opens this"
    elif here.is_home or there.is_home:
        yield f"workloads reach their home only on port {names.GATEWAY_PORT} of pods with {names.GATEWAY_LABEL}=true"
    elif here.environment != there.environment:
        yield f"environments {here.environment} and {there.environment} never connect: nothing opens this"
    else:
        yield from _between_peers(world, verdict, source.namespace, target.namespace, port)


def _between_peers(world: World, verdict: Verdict, source: str, target: str, port: Port | None) -> Iterator[str]:
    """Each side that denies must declare the other."""
    declarations = (
        (verdict.egress, source, "egress", "to", target),
        (verdict.ingress, target, "ingress", "from", source),
    )
    for side, own, field, word, other in declarations:
        if side.answer(port) is Answer.DENIED:
            rule = f"{{{word}: {{namespace: {_object_name(world, other)}}}, ports: [{_number(port)}]}}"
            yield f"add {rule} to spec.network.{field} of {_object(world, own)}"


def _from_platform(namespace: str, there: Tenancy | None) -> str:
    tenant = there.tenant if there else ""
    return f"the platform team can add {{namespace: {namespace}}} to spec.network.ingressFrom of Tenant {tenant}"


def _to_platform(here: Tenancy, namespace: str) -> str:
    return (
        f"Tenant {here.tenant} reaches no service of the platform but its DNS servers (spec.network.dns): "
        f"what runs in {namespace} needs an address outside the cluster, opened by spec.network.egress"
    )


def _to_outside(world: World, source: Pod, address: Address, port: Port | None) -> str:
    here = Tenancy.of(world.labels(source.namespace))
    if here is None:
        return f"{source.namespace} is no tenant's: its policies belong to whoever wrote them"
    network = f"{address}/{address.max_prefixlen}"
    return (
        f"the platform team can add {{cidr: {network}, ports: [{_number(port)}]}} to spec.network.egress of "
        f"Tenant {here.tenant}, unless it overlaps a protected range"
    )


def _from_outside(world: World, target: Pod) -> str:
    there = Tenancy.of(world.labels(target.namespace))
    if there is None:
        return f"{target.namespace} is no tenant's: its policies belong to whoever wrote them"
    return (
        "what comes from outside enters by a shared ingress controller, whose namespace is listed in "
        f"spec.network.ingressFrom of Tenant {there.tenant}"
    )


def _object_name(world: World, namespace: str) -> str:
    return world.labels(namespace).get(names.NAMESPACE_LABEL, namespace)


def _object(world: World, namespace: str) -> str:
    """The Namespace object behind a core namespace."""
    labels = world.labels(namespace)
    return f"Namespace {_object_name(world, namespace)} in {labels.get(names.TENANT_LABEL, '')}"


def _number(port: Port | None) -> str:
    return str(port.number) if port else "PORT"
