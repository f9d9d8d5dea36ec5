"""What keeps an object from going.

Law: nobody keeps a gate open by a finalizer. An object that is marked for deletion goes on working until its last
finalizer is gone, and a tenant's admins can set one; so Ringfence takes them off what it wants gone or made anew.
"""

from typing import Final

from ringfence.model.kinds import EXTERNAL_SECRET, GUARDRAIL, Ref

# Guardrails are held by Ringfence itself, ExternalSecrets by the operator that serves them.
_HELD_RIGHTLY: Final = frozenset({GUARDRAIL, EXTERNAL_SECRET})


def is_held(ref: Ref, finalizers: tuple[str, ...]) -> bool:
    """Whether a finalizer of somebody else's keeps this object of a tenant namespace from going."""
    return bool(ref.namespace and finalizers) and ref.type not in _HELD_RIGHTLY
