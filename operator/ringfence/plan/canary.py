"""The two namespaces in which the canary asks: what a tenant's home and core namespace look like, without a tenant.

Law: they are fenced before the canary has its roles, as every namespace is; nothing runs there, and nobody but the
canary has access.
"""

from collections.abc import Iterable
from typing import Final

from ringfence import names
from ringfence.model.guardrail import GuardrailSpec
from ringfence.model.kinds import GUARDRAIL
from ringfence.model.principals import Principal, ServiceAccountRef
from ringfence.plan.children import core_namespace, deny_all, role_binding, service_account
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired, Plan, Stage

HOME: Final = Place(names.CANARY_TENANT, "", names.CANARY_HOME)
CORE: Final = Place(names.CANARY_TENANT, "", names.CANARY, "canary", "canary")
_REGION: Final = "canary"
_WHO: Final = Principal(service_account=ServiceAccountRef(namespace=names.OPERATOR_NAMESPACE, name=names.CANARY))
_SUBJECT: Final = f"ServiceAccount:{names.OPERATOR_NAMESPACE}/{names.CANARY}"

# Private, so that a NetworkPolicy that merely lets somebody in is refused by the rules of this namespace; with a
# region, so that pods are given it. What is granted to nobody is refused to the canary.
_RULES: Final = {
    HOME: GuardrailSpec(tenant=names.CANARY_TENANT, subjects=(_SUBJECT,)),
    CORE: GuardrailSpec(
        tenant=names.CANARY_TENANT,
        namespace=CORE.namespace,
        environment=CORE.environment,
        private=True,
        regions=(_REGION,),
        subjects=(_SUBJECT,),
    ),
}
_ROLES: Final = {HOME: ("owner",), CORE: ("owner", names.SHELL)}


def plan_canary() -> Plan:
    """What should stand, in order: the namespaces, their fence, the canary's roles."""
    places = (CORE, HOME)
    return Plan(
        conditions=(),
        stages=(
            Stage("namespace", apply=tuple(map(_namespace, places))),
            Stage("fence", apply=tuple(each for place in places for each in _fence(place))),
            Stage("access", apply=tuple(each for place in places for each in _access(place))),
        ),
    )


def _namespace(place: Place) -> Desired:
    """A tenant's namespace but for its owner, whom there is none: it is the platform's, and nobody's to select."""
    made = core_namespace.make(place, None)
    metadata = made.manifest["metadata"]
    labels = {key: value for key, value in metadata["labels"].items() if key != names.OWNER_UID_LABEL}
    return Desired(made.ref, {**made.manifest, "metadata": {**metadata, "labels": labels}})


def _fence(place: Place) -> Iterable[Desired]:
    rules = _RULES[place].model_dump(mode="json", by_alias=True, exclude_none=True)
    yield place.child(GUARDRAIL, names.GUARDRAIL, {"spec": rules})
    yield deny_all.make(place)
    # For whose token the canary asks: the API server looks it up before it asks any policy, and Kubernetes' own
    # controller makes it some time after the namespace.
    yield service_account.make(place)


def _access(place: Place) -> Iterable[Desired]:
    return (role_binding.make(place, role, (_WHO,)) for role in _ROLES[place])
