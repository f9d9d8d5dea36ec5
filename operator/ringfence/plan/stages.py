"""The order of writes: withdrawn first, then the namespace, its fence, access last.

Law: in no moment between two of these writes is there access without its fence. A policy goes only after the policy
that denies everything is known to be there: a pod that no policy selects is open.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ringfence import names
from ringfence.model.kinds import (
    DEPLOYMENT,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    Ref,
    ResourceType,
)
from ringfence.plan.difference import difference
from ringfence.plan.plan import Desired, Stage
from ringfence.plan.seen import Live

# Types whose objects open or give something: they are withdrawn, others are merely removed. A ServiceAccount that is
# not wanted any more is a gateway key that was revoked, a Deployment the gateway itself.
_GIVING: Final = (DEPLOYMENT, ROLE_BINDING, SERVICE_ACCOUNT)
_ACCESS: Final = (NETWORK_POLICY, *_GIVING)


def reconcile(
    namespace: Desired,
    fence: Collection[Desired],
    access: Collection[Desired],
    surplus: Collection[Ref],
    live: Mapping[Ref, Live],
    *,
    gateway: Sequence[Stage] = (),
) -> tuple[Stage, ...]:
    """Every write for one tenant namespace; ``surplus`` are the live objects that must not be there.

    What the ``gateway`` lacks keeps nobody from his access, but in a new namespace, where it comes before the quota.
    """
    closed = [child for child in fence if child.ref.name == names.DENY_ALL]
    # The quota comes after what it counts: until it has a status, the API server refuses every counted object.
    quotas = [child for child in fence if child.ref.type == RESOURCE_QUOTA]
    others = [child for child in fence if child not in closed and child not in quotas]
    counted = any(ref.type == RESOURCE_QUOTA for ref in live)
    openings, first = _of_type(surplus, NETWORK_POLICY), _is_open(closed, live)
    withdraw = _withdraw_access(access, surplus, live)
    stages = (
        # Where everything else is closed, policies need not wait for the bindings: an incident is to be over quickly.
        withdraw if first else replace(withdraw, delete=(*withdraw.delete, *openings)),
        Stage("fence", apply=tuple(closed) if first else (), tightening=True),
        Stage("withdraw", delete=openings if first else (), tightening=True),
        Stage("namespace", apply=(namespace,)),
        Stage("fence", apply=tuple(others if first else closed + others)),
        *(() if counted else gateway),
        Stage("fence", apply=tuple(quotas)),
        Stage("access", apply=tuple(binding for binding in access if binding not in withdraw.apply)),
        *(gateway if counted else ()),
        Stage("remove", delete=tuple(sorted(ref for ref in surplus if ref.type not in _ACCESS))),
    )
    return tuple(stage for stage in stages if stage.apply or stage.delete or stage.release)


def withdraw_bindings(live: Mapping[Ref, Live]) -> Stage:
    """Take away all access, whoever gave it, and the gateway: a tenant's admins may have given some, too."""
    return Stage("withdraw", delete=(*_of_type(live, ROLE_BINDING), *_of_type(live, DEPLOYMENT)), tightening=True)


def close(live: Mapping[Ref, Live]) -> tuple[Stage, ...]:
    """Take away all access and every policy but the one that denies everything, of what goes and is kept from it."""
    policies = _of_type(live, NETWORK_POLICY)
    closed = any(ref.name == names.DENY_ALL for ref in policies)
    opened = (
        *(ref for ref in policies if closed and ref.name != names.DENY_ALL),
        *_of_type(live, ROLE_BINDING),
    )
    return (Stage("withdraw", delete=opened, tightening=True),) if opened else ()


def _is_open(closed: Iterable[Desired], live: Mapping[Ref, Live]) -> bool:
    """Whether a namespace that is in use lacks the policy that denies everything: that is repaired first, always."""
    if not live:
        return False  # it is being made: nobody has access yet
    return any(each.ref not in live or difference(each.manifest, live[each.ref].content) for each in closed)


def _withdraw_access(access: Iterable[Desired], surplus: Iterable[Ref], live: Mapping[Ref, Live]) -> Stage:
    """Take away what is not granted (any more) before anything else, whatever else may fail."""
    gone, narrowed = {ref for kind in _GIVING for ref in _of_type(surplus, kind)}, []
    for binding in access:
        seen = live.get(binding.ref)
        if seen is None:
            continue
        if seen.content.get("roleRef") != binding.manifest["roleRef"]:
            gone.add(binding.ref)  # a roleRef can't be changed: the binding is made anew
        elif any(subject not in binding.manifest["subjects"] for subject in seen.content.get("subjects", ())):
            narrowed.append(_only_present(binding, seen))
    return Stage("withdraw", apply=tuple(narrowed), delete=tuple(sorted(gone)), tightening=True)


def _only_present(binding: Desired, seen: Live) -> Desired:
    present = [subject for subject in binding.manifest["subjects"] if subject in seen.content.get("subjects", ())]
    return Desired(binding.ref, {**binding.manifest, "subjects": present})


def _of_type(refs: Iterable[Ref], kind: ResourceType) -> tuple[Ref, ...]:
    return tuple(sorted(ref for ref in refs if ref.type == kind))
