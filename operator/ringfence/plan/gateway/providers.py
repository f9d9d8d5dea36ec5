"""What a gateway needs to reach approved providers: their keys, and ways out of its namespace.

Law: a key is mounted by the name of its Secret, which nobody reads; a way out is opened for approved providers only.
"""

from collections.abc import Iterable, Iterator

from ringfence.model.kinds import EXTERNAL_SECRET
from ringfence.model.providers import Provider
from ringfence.model.tenant import TenantSpec
from ringfence.plan import frontends, ranges
from ringfence.plan.children import allow_providers, external_secret
from ringfence.plan.children.gateway_pod import KeyMount
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired, Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Seen

_HTTPS = 443
_KEY = "key"
"""In Secrets that are ordered from a store."""


def key_mounts(providers: Iterable[Provider]) -> tuple[KeyMount, ...]:
    """Where each provider's key is, or will be."""
    return tuple(sorted(mount for each in providers if (mount := _mount(each)) is not None))


def _mount(provider: Provider) -> KeyMount | None:
    credential = provider.credential
    if credential is None:
        return None
    if credential.secret_ref is not None:
        return KeyMount(provider.name, credential.secret_ref.name, credential.secret_ref.key)
    return KeyMount(provider.name, _ordered(provider), _KEY)


def orders(home: Place, spec: TenantSpec, seen: Seen) -> tuple[Desired, ...]:
    """Orders for keys that are in a store; that the Tenant may use it is a rule of its kind."""
    if EXTERNAL_SECRET not in seen.facts.served:
        return ()
    return tuple(
        external_secret.make_key(home, _ordered(each), each.credential.external_secret, _KEY)
        for each in spec.providers
        if each.credential and each.credential.external_secret
    )


def _ordered(provider: Provider) -> str:
    return f"model-{provider.name}"


def way_out(home: Place, spec: TenantSpec, seen: Seen) -> Desired:
    """The gateway's egress."""
    outside = ranges.anywhere(seen.facts, _HTTPS) if any(each.endpoint for each in spec.providers) else ()
    return allow_providers.make(home, outside, _inside(home, spec, seen), seen.facts)


def _inside(home: Place, spec: TenantSpec, seen: Seen) -> Iterator[allow_providers.Frontends]:
    """Pods of the tenant's own Namespaces, whatever a Service there leads to."""
    for each in seen.namespaces:
        ports = frontends.pod_ports(home.tenant, spec, each.name, seen)
        if each.spec and ports:
            yield allow_providers.Frontends(each.name, each.spec.environment, ports)


def refusals(spec: TenantSpec, seen: Seen) -> Iterator[Finding]:
    """What keeps a provider from being reached, whatever its routes say."""
    if seen.facts.unknown_ranges and any(each.endpoint for each in spec.providers):
        unknown = ", ".join(seen.facts.unknown_ranges)
        message = (
            f"providers outside of the cluster are out of the gateway's reach: the cluster's ranges of {unknown} are "
            "unknown; set them in the operator's protected ranges"
        )
        yield Finding(Reason.PROTECTED_RANGE, message, ConditionType.ACCEPTED)
    ordered = sorted(each.name for each in spec.providers if each.credential and each.credential.external_secret)
    if ordered and EXTERNAL_SECRET not in seen.facts.served:
        message = (
            f"keys of {', '.join(ordered)}: the cluster does not serve {EXTERNAL_SECRET.api_version} "
            f"{EXTERNAL_SECRET.kind}; install the External Secrets Operator"
        )
        yield Finding(Reason.EXTERNAL_SECRETS_NOT_SERVED, message, ConditionType.ACCEPTED)
