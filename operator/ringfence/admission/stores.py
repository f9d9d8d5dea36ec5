"""ExternalSecrets: which values of a shared store reach a tenant's namespace.

Law: whoever writes the order, the operator included, its keys lie below a prefix that the Tenant was given.
"""

from typing import Final

from ringfence.admission.cel import GLASS_WHOLE, LIVING, RESOURCE, SPEC_CHANGED
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.kinds import EXTERNAL_SECRET

_PUSHED: Final = "pushsecrets"
_STORE: Final = "object.spec.?secretStoreRef"


_BY_GENERATOR: Final = "d.?sourceRef.?generatorRef.hasValue()"


def _asked(items: str, key: str) -> str:
    """What one list of the order asks of which store; the External Secrets Operator's default kind is SecretStore."""
    return f"""
        object.spec.?{items}.orValue([]).filter(d, !{_BY_GENERATOR}).map(d, {{
          'kind': d.?sourceRef.?storeRef.?kind.orValue({_STORE}.?kind.orValue('SecretStore')),
          'name': d.?sourceRef.?storeRef.?name.orValue({_STORE}.?name.orValue('')),
          'key': {key}}})
        """


_SAME_STORE: Final = "s.kind == a.kind && s.name == a.name"

EXTERNAL_SECRETS: Final = Policy(
    name="ringfence-external-secrets",
    about="An ExternalSecret takes values from the tenant's stores, below the tenant's prefixes.",
    resources=(Resources(EXTERNAL_SECRET.group, (EXTERNAL_SECRET.plural, _PUSHED)),),
    unless=(GLASS_WHOLE, LIVING, SPEC_CHANGED),
    missing="Allow",
    variables=(
        Expression("stores", "params.spec.?secretStores.orValue([])"),
        Expression(
            "asked",
            f"{RESOURCE} == '{_PUSHED}' ? [] : "
            + _asked("data", "d.?remoteRef.?key.orValue('')")
            + "+"
            + _asked("dataFrom", "d.?extract.?key.orValue(d.?find.?path.orValue(''))"),
        ),
    ),
    validations=(
        Validation(
            "external-secret-store",
            (Threat.READ_SECRETS,),
            f"variables.asked.all(a, variables.stores.exists(s, {_SAME_STORE}))",
            "the store is not one of the Tenant's spec.secretStores",
        ),
        Validation(
            "external-secret-key",
            (Threat.READ_SECRETS,),
            f"""
            variables.asked.all(a, !variables.stores.exists(s, {_SAME_STORE})
              || variables.stores.exists(s, {_SAME_STORE} && a.key.startsWith(s.keyPrefix)))
            """,
            "a key does not begin with the keyPrefix of its store",
        ),
        Validation(
            "external-secret-path",
            (Threat.READ_SECRETS, Threat.INJECTED_TEXT),
            "variables.asked.all(a, !a.key.contains('..'))",
            "no .. in keys",
        ),
        Validation(
            "external-secret-generator",
            (Threat.READ_SECRETS, Threat.SIDE_ENTRANCES),
            f"object.spec.?dataFrom.orValue([]).all(d, !{_BY_GENERATOR})",
            "no generators: what they answer has no prefix",
        ),
        Validation(
            "external-secret-push",
            (Threat.READ_SECRETS, Threat.SIDE_ENTRANCES),
            f"{RESOURCE} != '{_PUSHED}'",
            "nothing is written to a store: it would be read by whoever has that key",
        ),
    ),
)

POLICIES: Final = (EXTERNAL_SECRETS,)
