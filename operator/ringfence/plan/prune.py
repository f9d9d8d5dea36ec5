"""Which live objects must not be there.

Law: only what carries our label is pruned; what a tenant made stays, but in quarantine no policy and no binding does.
"""

from collections.abc import Collection, Mapping

from ringfence.model.kinds import NETWORK_POLICY, ROLE_BINDING, Ref
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Live


def surplus(live: Mapping[Ref, Live], desired: Collection[Desired], *, quarantined: bool = False) -> tuple[Ref, ...]:
    """The live objects to be deleted, in one order."""
    wanted = {child.ref for child in desired}
    return tuple(
        sorted(ref for ref, seen in live.items() if ref not in wanted and (seen.ours or (quarantined and _opens(ref))))
    )


def _opens(ref: Ref) -> bool:
    return ref.type in (NETWORK_POLICY, ROLE_BINDING)
