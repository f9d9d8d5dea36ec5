"""Legal holds: what must not be deleted, whoever asks.

Law: a hold is ended by its release, never by a confirmation of the deletion.
"""

from collections.abc import Iterable

from ringfence.model.retentionpolicy import LegalHold, RetentionPolicySpec
from ringfence.model.subject import Subject


def in_scope(policies: Iterable[Subject[RetentionPolicySpec]], namespace: str | None = None) -> tuple[str, ...]:
    """The holds on Namespace object ``namespace``, or on anything of the tenant, as ``policy/hold``.

    A policy that can't be read counts as a hold: what can't be judged is refused.
    """
    return tuple(sorted(name for policy in policies for name in _of_policy(policy, namespace)))


def _of_policy(policy: Subject[RetentionPolicySpec], namespace: str | None) -> list[str]:
    if policy.spec is None:
        return [f"{policy.name}/?"]
    return [f"{policy.name}/{hold.name}" for hold in policy.spec.legal_holds if _covers(hold, namespace)]


def _covers(hold: LegalHold, namespace: str | None) -> bool:
    return namespace is None or hold.scope is None or not hold.scope.namespaces or namespace in hold.scope.namespaces
