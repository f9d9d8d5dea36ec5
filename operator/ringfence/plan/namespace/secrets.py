"""Secret references: what must exist, and what fetches it.

Law: only existence is ever asked for; keys outside the Tenant's prefix are refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.model.kinds import EXTERNAL_SECRET
from ringfence.model.namespace import SecretReference
from ringfence.model.references import ExternalSecretRef
from ringfence.model.tenant import SecretStore, TenantSpec
from ringfence.plan.children import external_secret
from ringfence.plan.namespace.site import Site
from ringfence.plan.plan import Desired, Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Existence, Facts, SecretExists, Seen


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is made for the references, what has to be asked, and what was found."""

    children: tuple[Desired, ...] = ()
    questions: tuple[SecretExists, ...] = ()
    findings: tuple[Finding, ...] = ()


def secrets(site: Site, seen: Seen) -> Secrets:
    """Judge every reference of the Namespace. Nothing is asked before the core namespace stands."""
    references = sorted(site.spec.secrets, key=lambda reference: reference.name)
    external = [each for each in references if each.external_secret is not None]
    refused = [finding for each in external if (finding := _refusal(each, site.tenant, seen.facts)) is not None]
    made = [_order(site, each) for each in external if _refusal(each, site.tenant, seen.facts) is None]
    questions = tuple(SecretExists(site.place.core, each.name) for each in references)
    absent = [finding for question in questions if (finding := _absence(question, site, seen)) is not None]
    orders = tuple(each for each in made if each is not None)
    return Secrets(orders, questions if site.stands else (), (*refused, *absent))


def allows(stores: Iterable[SecretStore], source: ExternalSecretRef) -> bool:
    """Whether the key lies below the prefix of a store that the Tenant may use."""
    return any(
        (store.kind, store.name) == (source.store.kind, source.store.name)
        and source.key.startswith(store.key_prefix)
        and ".." not in source.key
        for store in stores
    )


def _order(site: Site, reference: SecretReference) -> Desired | None:
    source = reference.external_secret
    return external_secret.make(site.place, reference.name, source) if source else None


def _refusal(reference: SecretReference, tenant: TenantSpec, facts: Facts) -> Finding | None:
    source = reference.external_secret
    if source is None:
        return None
    if not allows(tenant.secret_stores, source):
        message = (
            f"secret {reference.name}: {source.store.kind} {source.store.name} with key {source.key} is not granted"
        )
        return _finding(Reason.SECRET_KEY_NOT_ALLOWED, f"{message}; see spec.secretStores of the Tenant")
    if EXTERNAL_SECRET not in facts.served:
        return _finding(
            Reason.EXTERNAL_SECRETS_NOT_SERVED,
            f"secret {reference.name}: the cluster does not serve {EXTERNAL_SECRET.api_version} "
            f"{EXTERNAL_SECRET.kind}; install the External Secrets Operator",
        )
    return None


def _absence(question: SecretExists, site: Site, seen: Seen) -> Finding | None:
    answer = seen.answers.get(question) if site.core else Existence.ABSENT
    if answer == Existence.PRESENT:
        return None
    name = f"{question.namespace}/{question.name}"
    if answer == Existence.ABSENT:
        return _finding(Reason.SECRET_MISSING, f"Secret {name} does not exist; create it or let a store provide it")
    return _finding(Reason.SECRET_UNKNOWN, f"whether Secret {name} exists could not be asked yet")


def _finding(reason: Reason, message: str) -> Finding:
    return Finding(reason, message, ConditionType.SECRETS_RESOLVED)
