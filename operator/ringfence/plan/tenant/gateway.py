"""The tenant's gateway in its home namespace: what should be there, and in which order it comes.

Law: no tenant without providers has a gateway. In an incident nothing of it runs, and all of it stays to be looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.children import (
    gateway_config,
    gateway_deployment,
    gateway_pod,
    gateway_service,
    service_account,
)
from ringfence.plan.gateway import providers
from ringfence.plan.gateway.certificates import Certificates, certificates
from ringfence.plan.gateway.rendering import Rendering, render
from ringfence.plan.gateway.witnessed import witnessed
from ringfence.plan.place import Place
from ringfence.plan.plan import Condition, Desired, Finding, Stage
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Question, Seen


@dataclass(frozen=True, slots=True)
class TenantGateway:
    """Everything that a Tenant's plan says of its gateway."""

    stages: tuple[Stage, ...] = ()
    stopping: tuple[Stage, ...] = ()
    """Before anything else: an incident is to be over quickly."""
    openings: tuple[Desired, ...] = ()
    """Ways out, which an incident closes."""
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    condition: Condition | None = None
    status: dict[str, Any] = field(default_factory=dict)
    configuration: tuple[str, str] = ("", "")
    """The revision before, and after this plan."""
    next_change: datetime | None = None

    @property
    def objects(self) -> tuple[Desired, ...]:
        """What is kept of what is there."""
        return tuple(each for stage in (*self.stopping, *self.stages) for each in stage.apply)


_NONE: Final = TenantGateway()


def gateway(home: Place, tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> TenantGateway:
    """What should be there. ``spec`` is what is granted of the Tenant's."""
    if not spec.providers or spec.gateway.data_plane == "None":
        return _NONE
    if spec.gateway.data_plane != "Envoy":
        message = (
            f"the operator serves no spec.gateway.dataPlane {spec.gateway.data_plane}; use Envoy, or apply what "
            f"`ringfence envoy-ai {tenant.name}` prints"
        )
        return TenantGateway(condition=Condition(ConditionType.GATEWAY_READY, "False", Reason.NOT_SERVED_YET, message))
    return _envoy(home, tenant, spec, seen)


def _envoy(home: Place, tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> TenantGateway:
    quarantined = spec.isolation == "Quarantined"
    rendering, pair = render(home, tenant, seen), certificates(home, seen)
    pods = _pods(home, spec, rendering, pair, seen, quarantined=quarantined)
    runs = bool(pods) and not quarantined
    return TenantGateway(
        stopping=_stopping(pods, seen) if quarantined else (),
        stages=(
            Stage("gateway", apply=rendering.kept),
            Stage("gateway", apply=(*_ground(home, rendering, pair, served=runs), *providers.orders(home, spec, seen))),
            Stage("gateway", apply=pair.secrets),
            Stage("gateway", apply=() if quarantined else pods),
        ),
        openings=() if quarantined else (providers.way_out(home, spec, seen),),
        findings=(*rendering.findings, *providers.refusals(spec, seen)),
        questions=(*rendering.questions, *pair.questions),
        condition=witnessed(rendering, seen, quarantined=quarantined),
        status={"url": gateway_config.url(tenant.name), "routes": rendering.routes, "configHash": rendering.revision},
        configuration=(rendering.before, rendering.revision),
        next_change=pair.next_change,
    )


def _stopping(pods: tuple[Desired, ...], seen: Seen) -> tuple[Stage, ...]:
    running = tuple(each for each in pods if each.ref in seen.live)
    return (Stage("withdraw", apply=running, tightening=True),) if running else ()


def _ground(home: Place, rendering: Rendering, pair: Certificates, *, served: bool) -> Iterator[Desired]:
    """What pods rest on. The files come before the address is told to anybody."""
    yield service_account.make_gateway(home)
    yield from pair.children
    yield from rendering.children
    yield gateway_service.make(home)
    yield gateway_service.make_budget(home)
    yield gateway_config.make(home, pair.authorities, served=served)


def _pods(
    home: Place, spec: TenantSpec, rendering: Rendering, pair: Certificates, seen: Seen, *, quarantined: bool
) -> tuple[Desired, ...]:
    """The Deployment, once there is something for it to mount: a pod that waits for a file tells nobody why."""
    if not rendering.children or not pair.shown:
        return ()
    images = seen.facts.images
    pod = gateway_pod.Pod(
        envoy_image=images.gateway,
        collector_image=images.collector,
        certificate=pair.shown,
        keys=providers.key_mounts(spec.providers),
        regions=spec.residency.regions if spec.residency else (),
    )
    return (gateway_deployment.make(home, pod, 0 if quarantined else spec.gateway.replicas),)
