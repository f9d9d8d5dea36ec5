"""Leaving namespaces behind: fenced, without access, and nobody's.

Law: a namespace is disowned only after a look that found no access in it. A tenant's admin may give access for as long
as he has some himself; what he gave while it was being taken away is found by the next look.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from ringfence.model.kinds import DEPLOYMENT, ROLE_BINDING, Ref
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import stages
from ringfence.plan.children import core_namespace
from ringfence.plan.place import Place
from ringfence.plan.plan import Stage
from ringfence.plan.release import guardrails
from ringfence.plan.seen import CoreNamespace, Live

_ACCESS: Final = (DEPLOYMENT, ROLE_BINDING)
SETTLING: Final = timedelta(seconds=1)
"""How long to wait before that look: the API server may believe a binding for a moment after it is gone."""


def has_access(cores: tuple[CoreNamespace, ...], live: Mapping[Ref, Live]) -> bool:
    """Whether anybody holds a role in one of these namespaces, or a gateway runs there."""
    return bool(_access(cores, live))


def leave(tenant: Subject[TenantSpec], cores: tuple[CoreNamespace, ...], live: Mapping[Ref, Live]) -> tuple[Stage, ...]:
    """The next steps: take the access away, or where there is none, disown the namespaces."""
    if access := _access(cores, live):
        return (stages.withdraw_bindings(access),)
    orphans = tuple(
        core_namespace.make_orphan(Place(tenant.name, tenant.meta.uid, core.name), core.labels) for core in cores
    )
    # Disowned last: until then a restart finds the same work to do.
    return (*guardrails(cores, live), Stage("namespace", apply=orphans)) if orphans else ()


def _access(cores: tuple[CoreNamespace, ...], live: Mapping[Ref, Live]) -> dict[Ref, Live]:
    where = {core.name for core in cores}
    return {ref: seen for ref, seen in live.items() if ref.type in _ACCESS and ref.namespace in where}
