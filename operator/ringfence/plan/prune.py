"""Which live objects must not be there.

Law: what carries our label and is not wanted is pruned. What a tenant made stays while it could be made today: not a
tenant role for somebody whom the Tenant no longer knows, not a way in beside a private model, and in quarantine no
policy and no binding at all. Outside of an incident, what stands by a broken glass is left to whoever broke it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from ringfence import names
from ringfence.model.kinds import NETWORK_POLICY, ROLE_BINDING, Ref
from ringfence.plan.plan import Desired
from ringfence.plan.roles import BINDABLE
from ringfence.plan.seen import Live


@dataclass(frozen=True, slots=True)
class Standing:
    """What a tenant's own policies and bindings are judged by."""

    quarantined: bool = False
    """Whether an incident is declared."""
    private: bool = False
    """Whether model frontends run here."""
    known: Collection[str] | None = None
    """Everybody whom the Tenant knows, as Guardrails write them; None where nobody is judged."""


_CALM: Final = Standing()


def surplus(live: Mapping[Ref, Live], desired: Collection[Desired], standing: Standing = _CALM) -> tuple[Ref, ...]:
    """The live objects to be deleted, in one order."""
    wanted = {child.ref for child in desired}
    return tuple(
        sorted(ref for ref, seen in live.items() if ref not in wanted and (seen.ours or _outlived(seen, standing)))
    )


def _outlived(seen: Live, standing: Standing) -> bool:
    """Whether it is nothing that could be made today."""
    if seen.ref.type not in (NETWORK_POLICY, ROLE_BINDING):
        return False
    if standing.quarantined:
        return True
    if names.BREAK_GLASS_ANNOTATION in seen.content.get("metadata", {}).get("annotations", {}):
        return False
    if seen.ref.type == NETWORK_POLICY:
        return standing.private and bool(seen.content.get("spec", {}).get("ingress"))
    return standing.known is not None and _gives_to_strangers(seen, standing.known)


def _gives_to_strangers(seen: Live, known: Collection[str]) -> bool:
    ours = seen.content.get("roleRef", {}).get("name") in BINDABLE
    return ours and any(_identity(subject) not in known for subject in seen.content.get("subjects") or ())


def _identity(subject: Mapping[str, str]) -> str:
    """A subject of RBAC as Guardrails write it."""
    kind, name = subject["kind"], subject["name"]
    return f"{kind}:{subject.get('namespace', '')}/{name}" if kind == "ServiceAccount" else f"{kind}:{name}"
