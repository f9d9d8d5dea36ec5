"""The Guardrail's finalizer: the rules of a namespace stand for as long as anything is left in it.

Law: it is released when the API server says that nothing else remains, and when a namespace is given away.
"""

from collections.abc import Mapping

from ringfence import names
from ringfence.model.kinds import GUARDRAIL, Ref
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.ownership import owns
from ringfence.plan.plan import Stage
from ringfence.plan.seen import CoreNamespace, Live

_ONLY_THE_GUARDRAIL = (f"{GUARDRAIL.plural}.{GUARDRAIL.group}",)


def last_guardrail(
    core: CoreNamespace | None, tenant: Subject[TenantSpec] | None, live: Mapping[Ref, Live]
) -> tuple[Stage, ...]:
    """The release of the Guardrail in ``core``, if that is terminating, ours, and has nothing else left."""
    if core is None or tenant is None or not core.deleting or core.remaining != _ONLY_THE_GUARDRAIL:
        return ()
    return guardrails((core,), live) if owns(core, tenant.name, tenant.meta.uid) else ()


def guardrails(cores: tuple[CoreNamespace, ...], live: Mapping[Ref, Live]) -> tuple[Stage, ...]:
    """The release of the Guardrails in these namespaces that still carry the finalizer."""
    refs = (Ref(GUARDRAIL, core.name, names.GUARDRAIL) for core in cores)
    held = tuple(ref for ref in refs if ref in live and names.FINALIZER in live[ref].finalizers)
    return (Stage("release", release=held),) if held else ()
