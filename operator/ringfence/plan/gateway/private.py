"""Checks of a private model frontend before anything is sent to it.

Laws: whoever may change Services in a Namespace reads what is sent to them, so a prompt goes to an open Namespace of
the tenant's that is as protected as where it comes from; a key goes nowhere in plain text; what may lead anywhere, or
can't be verified, gets nothing.
"""

from collections.abc import Iterator
from dataclasses import replace

from ringfence import names
from ringfence.gateway.served import Encryption
from ringfence.model.namespace import NamespaceSpec
from ringfence.model.providers import Provider
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import frontends
from ringfence.plan.gateway.backend import Approved, authority_of, encryption, refused
from ringfence.plan.gateway.callers import is_open
from ringfence.plan.ownership import owns
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import Reason


def frontend_is_ours(found: Approved) -> Finding | None:
    """A prompt goes to a namespace of this tenant's that stays open, never to one that merely bears its name."""
    if found.provider.service is None:
        return None
    core = names.core_namespace(found.tenant, found.provider.service.namespace)
    namespace = _namespace(found)
    if namespace is None or not owns(found.seen.cores.get(core), found.tenant, found.owner.meta.uid):
        return _there(found, Reason.UNKNOWN_NAMESPACE, "which is not there")
    if not is_open(found.owner, namespace, found.seen):
        return _there(found, Reason.WAITING_FOR_NAMESPACE, "which is closed, or being removed; see its conditions")
    return None


def frontend_is_protected_enough(found: Approved) -> Finding | None:
    """A protected environment is served by frontends of protected ones; one that the Tenant lacks protects nothing."""
    namespace = _namespace(found)
    if namespace is None or namespace.spec is None or not found.is_asked_for:
        return None
    own = namespace.spec.environment
    protected = {each.name: each.protected for each in found.spec.environments}
    if protected.get(own, False) or not protected.get(found.environment, True):
        return None
    why = (
        f"whose environment {own} is less protected than {found.environment}: run it in a protected one, or leave "
        f"{found.environment} out of the provider's environments"
    )
    return _there(found, Reason.LESS_PROTECTED, why)


def frontend_gets_no_key_in_plain_text(found: Approved) -> Finding | None:
    """Whoever is on the way would have the key, which is good for more than one request."""
    return key_in_plain_text(found.provider)


def frontend_leads_to_its_pods(found: Approved) -> Finding | None:
    """Its Service is there, and selects pods of its own namespace."""
    service = found.provider.service
    port = frontends.pod_port(found.tenant, service, found.seen) if service else None
    if not isinstance(port, Finding):
        return None
    return replace(port, message=f"provider {found.provider.name}: {port.message}")


def frontend_can_be_verified(found: Approved) -> Finding | None:
    """A frontend with TLS whose authority nobody knows is not spoken to."""
    question = authority_of(found.tenant, found.provider)
    if question is None or found.authority:
        return None
    message = f"provider {found.provider.name}: ConfigMap {question.namespace}/{question.name} has no certificate"
    return refused(Reason.AUTHORITY_MISSING, f"{message} in ca.crt")


def plaintext(spec: TenantSpec) -> Iterator[Finding]:
    """Frontends that are spoken to without TLS, and those that get nothing because their key would go that way."""
    for provider in sorted(spec.providers, key=lambda each: each.name):
        if encryption(provider) is Encryption.NONE:
            message = f"provider {provider.name} is spoken to in plain text; give its service tls.caConfigMap"
            yield key_in_plain_text(provider) or Finding(Reason.PLAINTEXT_UPSTREAM, message)


def key_in_plain_text(provider: Provider) -> Finding | None:
    """Why a provider with a key gets no request."""
    if provider.credential is None or encryption(provider) is not Encryption.NONE:
        return None
    message = f"provider {provider.name} would be sent its key in plain text, so it is sent nothing"
    return refused(Reason.PLAINTEXT_CREDENTIAL, f"{message}; give its service tls.caConfigMap, or take its key away")


def _namespace(found: Approved) -> Subject[NamespaceSpec] | None:
    """The Namespace object in which the frontend runs."""
    where = found.provider.service.namespace if found.provider.service else ""
    return next((each for each in found.seen.namespaces if each.name == where), None)


def _there(found: Approved, reason: Reason, why: str) -> Finding:
    where = found.provider.service.namespace if found.provider.service else ""
    return refused(reason, f"provider {found.provider.name} runs in Namespace {where}, {why}")
