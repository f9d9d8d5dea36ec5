"""One kopf event handler a kind; each hands the object on and decides nothing.

Law: kopf writes nothing. Its change handlers, timers, annotations, peering and posting stay unused.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import kopf

from ringfence.model.kinds import MODEL_ROUTE, NAMESPACE, RETENTION_POLICY, TENANT, ResourceType
from ringfence.ports.cluster import Object

NO_FINALIZER: Final = "none of kopf's"
"""kopf takes its finalizer off every object that no handler of its needs to hold. This one is no valid name: the API
server lets nobody put it on an object, so kopf never has a reason to write."""

Deliver: TypeAlias = Callable[[ResourceType, str | None, Object], None]
"""Takes the type, kopf's event type (``None`` for what was listed) and the object."""


def make_registry(deliver: Deliver) -> kopf.OperatorRegistry:
    """Return the handlers of all four kinds."""
    registry = kopf.OperatorRegistry()

    @kopf.on.event(TENANT.group, TENANT.version, TENANT.plural, registry=registry)
    async def tenant(event: kopf.RawEvent, **_: Any) -> None:
        deliver(TENANT, event["type"], event["object"])

    @kopf.on.event(NAMESPACE.group, NAMESPACE.version, NAMESPACE.plural, registry=registry)
    async def namespace(event: kopf.RawEvent, **_: Any) -> None:
        deliver(NAMESPACE, event["type"], event["object"])

    @kopf.on.event(MODEL_ROUTE.group, MODEL_ROUTE.version, MODEL_ROUTE.plural, registry=registry)
    async def model_route(event: kopf.RawEvent, **_: Any) -> None:
        deliver(MODEL_ROUTE, event["type"], event["object"])

    @kopf.on.event(RETENTION_POLICY.group, RETENTION_POLICY.version, RETENTION_POLICY.plural, registry=registry)
    async def retention_policy(event: kopf.RawEvent, **_: Any) -> None:
        deliver(RETENTION_POLICY, event["type"], event["object"])

    return registry


def make_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: watch, and nothing else."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True  # the shell waits for the definitions itself, and starts kopf anew when they go
    settings.persistence.finalizer = NO_FINALIZER
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = (0.2, 0.5, 1, 1, 2, 2)
    settings.process.ultimate_exiting_timeout = None
    return settings
