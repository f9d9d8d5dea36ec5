"""Who calls a tenant's gateway, and what each may call.

Law: a namespace calls only while it is the tenant's by label and uid, declared, and not closed by an incident. What is
not composed here is nobody's caller.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ringfence import names
from ringfence.gateway.served import Callers, Grant, Key, Route
from ringfence.model.modelroute import Consumers
from ringfence.model.namespace import GatewayKey, NamespaceSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import keys, proxies
from ringfence.plan.children.guardrail import is_protected
from ringfence.plan.ownership import owns
from ringfence.plan.seen import Facts, Seen


@dataclass(frozen=True, slots=True)
class Offer:
    """A route in one environment, and whom it is for."""

    route: Route
    consumers: tuple[Consumers, ...]
    """Those of the revision, who were approved with it, and those of the spec, who may be fewer by now."""

    def grant(self, namespace: str) -> Grant | None:
        """What the Namespace object of that name gets of it: what each of its consumers lets it have."""
        named = [each for listed in self.consumers if (each := _named(listed, namespace)) is not None]
        if not named:
            return Grant(self.route)
        accounts = frozenset.intersection(*named)
        return Grant(self.route, accounts) if accounts else None


def _named(listed: Consumers, namespace: str) -> frozenset[str] | None:
    """Names of the namespace's ServiceAccounts that may call; None where all of it may."""
    if namespace in listed.namespaces or not (listed.namespaces or listed.service_accounts):
        return None
    return frozenset(each.name for each in listed.service_accounts if each.namespace == namespace)


def callers(
    tenant: Subject[TenantSpec], spec: TenantSpec, offers: Mapping[str, Iterable[Offer]], seen: Seen
) -> dict[str, Callers]:
    """Callers by core namespace. ``offers`` are by environment, one for each model."""
    if spec.isolation == "Quarantined":
        return {}
    found = {}
    for namespace in sorted(seen.namespaces, key=lambda each: each.name):
        core = names.core_namespace(tenant.name, namespace.name)
        if namespace.spec is not None and is_open(tenant, namespace, seen):
            grants = (offer.grant(namespace.name) for offer in offers.get(namespace.spec.environment, ()))
            found[core] = Callers(
                environment=namespace.spec.environment,
                grants=tuple(grant for grant in grants if grant is not None),
                keys=tuple(_keys(namespace.spec, spec, seen.keys.get(core, {}), seen.facts)),
            )
    return found


def is_open(tenant: Subject[TenantSpec], namespace: Subject[NamespaceSpec], seen: Seen) -> bool:
    """Whether a Namespace stays, is the tenant's, and no incident closes it."""
    place = seen.cores.get(names.core_namespace(tenant.name, namespace.name))
    leaving = namespace.meta.deleting or (place is not None and place.deleting)
    closed = namespace.spec is None or namespace.spec.isolation == "Quarantined"
    return owns(place, tenant.name, tenant.meta.uid) and not leaving and not closed


def _keys(namespace: NamespaceSpec, tenant: TenantSpec, uids: Mapping[str, str], facts: Facts) -> Iterator[Key]:
    """Keys whose ServiceAccounts are there; another ServiceAccount of the same name is another key.

    Where nobody can tell where a client is, keys that are bound to a place are left out.
    """
    nowhere = bool(proxies.doubt(facts))
    for key in keys.served(namespace, protected=is_protected(tenant, namespace)):
        account = names.gateway_key(key.name)
        if (uid := uids.get(account)) and not (key.allow_cidrs and nowhere):
            yield _key(key, account, uid)


def _key(key: GatewayKey, account: str, uid: str) -> Key:
    return Key(key.name, account, uid, live=key.mode == "Live", cidrs=tuple(sorted(key.allow_cidrs or ())))
