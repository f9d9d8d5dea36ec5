"""The Guardrail: what the Tenant and the Namespace say, compiled for admission policies."""

from collections.abc import Iterable

from ringfence import names
from ringfence.model.guardrail import (
    GuardedEnvironment,
    GuardedKey,
    GuardedProvider,
    GuardedScheduling,
    GuardedStepUp,
    GuardedStore,
    GuardrailSpec,
    Tokens,
)
from ringfence.model.kinds import GUARDRAIL
from ringfence.model.namespace import NamespaceSpec
from ringfence.model.principals import Principal
from ringfence.model.tenant import Environment, TenantSpec
from ringfence.plan import frontends, keys
from ringfence.plan.access import known_principals
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Facts


def make(place: Place, tenant: TenantSpec, facts: Facts, namespace: NamespaceSpec | None = None) -> Desired:
    """The rules of a core namespace, or of the home namespace where ``namespace`` is left out.

    It carries the finalizer: while anything else is left in a terminating namespace, the rules stand.
    """
    spec = _tenant_rules(place, tenant, facts).model_copy(update=_namespace_rules(place, tenant, namespace))
    manifest = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return place.child(GUARDRAIL, names.GUARDRAIL, {"spec": manifest}, finalizers=[names.FINALIZER])


def _tenant_rules(place: Place, tenant: TenantSpec, facts: Facts) -> GuardrailSpec:
    return GuardrailSpec(
        tenant=place.tenant,
        environments=tuple(_environment(environment) for environment in tenant.environments),
        providers=tuple(
            GuardedProvider(
                name=provider.name,
                models=tuple(sorted(provider.models)),
                environments=tuple(sorted(provider.environments or (each.name for each in tenant.environments))),
            )
            for provider in sorted(tenant.providers, key=lambda each: each.name)
        ),
        regions=tuple(sorted(tenant.residency.regions)) if tenant.residency else (),
        storage_classes=storage_classes(tenant, facts),
        hosts=tuple(sorted(tenant.network.hosts)),
        pod_security=tuple(sorted(tenant.pod_security.allow)),
        scheduling=GuardedScheduling(
            tolerations=tenant.scheduling.tolerations,
            node_selector=tenant.scheduling.node_selector,
            runtime_classes=tenant.scheduling.runtime_classes,
            priority_classes=tenant.scheduling.priority_classes,
        ),
        secret_stores=tuple(
            GuardedStore(kind=store.kind, name=store.name, key_prefix=store.key_prefix)
            for store in sorted(tenant.secret_stores, key=lambda each: (each.kind, each.name))
        ),
        tokens=Tokens(audiences=(names.GATEWAY_AUDIENCE,)),
        subjects=identities(known_principals(tenant.access)),
        step_up=(
            GuardedStepUp(extra_key=step.extra_key, values=tuple(sorted(step.values)))
            if (step := tenant.access.step_up)
            else None
        ),
        quarantined=tenant.isolation == "Quarantined",
    )


def _namespace_rules(place: Place, tenant: TenantSpec, namespace: NamespaceSpec | None) -> dict[str, object]:
    if namespace is None:
        return {}
    rules: dict[str, object] = {
        "namespace": place.namespace,
        "environment": namespace.environment,
        "protected": is_protected(tenant, namespace),
        "exec_allowed": exec_allowed(place, tenant, namespace),
        "private": frontends.run_in(tenant, place.namespace),
        "quarantined": _is_quarantined(tenant, namespace),
        "tokens": Tokens(audiences=(names.GATEWAY_AUDIENCE,), keys=_keys(tenant, namespace)),
    }
    return rules | ({"regions": (namespace.region,)} if namespace.region else {})


def exec_allowed(place: Place, tenant: TenantSpec, namespace: NamespaceSpec) -> bool:
    """Whether a shell may be opened there: not beside a private model, in an incident, or where two persons decide."""
    closed = is_protected(tenant, namespace) or _is_quarantined(tenant, namespace)
    return not (closed or frontends.run_in(tenant, place.namespace))


def is_protected(tenant: TenantSpec, namespace: NamespaceSpec) -> bool:
    """An environment that the Tenant does not have is taken for a protected one."""
    return all(each.protected for each in tenant.environments if each.name == namespace.environment)


def _is_quarantined(tenant: TenantSpec, namespace: NamespaceSpec) -> bool:
    return "Quarantined" in (tenant.isolation, namespace.isolation)


def storage_classes(tenant: TenantSpec, facts: Facts) -> tuple[str, ...]:
    """Allowed classes. The cluster's default goes by its name: the API server fills it in before policies run."""
    default = (facts.default_storage_class,) if facts.default_storage_class else ()
    return tuple(sorted(tenant.storage_classes)) or default


def identities(principals: Iterable[Principal]) -> tuple[str, ...]:
    """Principals as Guardrails write them, each once and in one order."""
    return tuple(sorted({identity(principal) for principal in principals}))


def identity(principal: Principal) -> str:
    """``Group:<name>``, ``User:<name>`` or ``ServiceAccount:<namespace>/<name>``."""
    if account := principal.service_account:
        return f"ServiceAccount:{account.namespace}/{account.name}"
    return f"Group:{principal.group}" if principal.group is not None else f"User:{principal.user}"


def _environment(environment: Environment) -> GuardedEnvironment:
    return GuardedEnvironment(
        name=environment.name, protected=environment.protected, approvers=identities(environment.approvers)
    )


def _keys(tenant: TenantSpec, namespace: NamespaceSpec) -> tuple[GuardedKey, ...]:
    return tuple(
        GuardedKey(service_account=names.gateway_key(key.name), max_age_seconds=key.max_age.seconds)
        for key in keys.served(namespace, protected=is_protected(tenant, namespace))
    )
