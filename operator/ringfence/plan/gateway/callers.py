"""Who calls a tenant's gateway, and what each may call.

Law: a namespace calls only while it is the tenant's by label and uid, declared, and not closed by an incident. What is
not composed here is nobody's caller. In a protected environment a key calls what both lists name its account in.
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
    approved: Consumers
    """Those of the revision, who were promoted with it."""
    wanted: Consumers
    """Those of the spec, who may be fewer by now."""

    def grant(self, namespace: str, bound: frozenset[str] = frozenset()) -> Grant | None:
        """What the Namespace object of that name gets of it: what both lists let it have.

        Nobody gets anything where the spec names nobody any more and the revision somebody: the last one who was taken
        out is turned away like the one before. ``bound`` are accounts that get what both lists name them in, only.
        """
        if self.approved.anybody and not self.wanted.anybody:
            return None
        lists = (self.approved, self.wanted)
        without = bound - frozenset.intersection(*(_named(each, namespace) for each in lists))
        narrow = [_named(each, namespace) for each in lists if not _is_for_all_of(each, namespace)]
        if not narrow:
            return Grant(self.route, without=without)
        accounts = frozenset.intersection(*narrow) - without
        return Grant(self.route, accounts) if accounts else None


def _is_for_all_of(listed: Consumers, namespace: str) -> bool:
    return namespace in listed.namespaces or not listed.anybody


def _named(listed: Consumers, namespace: str) -> frozenset[str]:
    """The namespace's ServiceAccounts that are there by name."""
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
            keys_of_it = tuple(_keys(namespace.spec, spec, seen.keys.get(core, {}), seen.facts))
            bound = frozenset(key.account for key in keys_of_it if is_protected(spec, namespace.spec))
            grants = (offer.grant(namespace.name, bound) for offer in offers.get(namespace.spec.environment, ()))
            found[core] = Callers(
                environment=namespace.spec.environment,
                grants=tuple(grant for grant in grants if grant is not None),
                keys=keys_of_it,
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
