"""Gateway keys of a Namespace: which are served, and which it may not have.

Law: a test key is for trying things out. Where two persons decide what serves it has no ServiceAccount, so that no
token of it exists; an environment that becomes protected revokes those that there were. A live key comes in there and
calls nothing until routes name it (`plan.gateway.callers`).
"""

from collections.abc import Iterable

from ringfence.model.namespace import GatewayKey, NamespaceSpec
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import ConditionType, Reason


def served(namespace: NamespaceSpec, *, protected: bool) -> tuple[GatewayKey, ...]:
    """The keys that get a ServiceAccount, by name. ``protected`` is said of the Namespace's environment."""
    return _sorted(key for key in namespace.gateway_keys if not protected or key.mode == "Live")


def refused(namespace: NamespaceSpec, *, protected: bool) -> Finding | None:
    """What is said where a key is not served."""
    left_out = set(namespace.gateway_keys) - set(served(namespace, protected=protected))
    if not left_out:
        return None
    message = (
        f"environment {namespace.environment} is protected and serves no key of mode Test: "
        f"{', '.join(key.name for key in _sorted(left_out))}; declare a key of mode Live in spec.gatewayKeys"
    )
    return Finding(Reason.TEST_KEY_REFUSED, message, ConditionType.ACCEPTED)


def _sorted(keys: Iterable[GatewayKey]) -> tuple[GatewayKey, ...]:
    return tuple(sorted(keys, key=lambda key: key.name))
