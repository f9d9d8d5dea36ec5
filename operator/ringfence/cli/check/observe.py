"""Asks the cluster what checks judge.

Law: nothing is changed; what asks for a refusal is a dry run, or leaves nothing behind.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from ringfence import names
from ringfence.adapters.kubernetes.calls import Calls
from ringfence.admission.answers import Answer, Asker, Probe
from ringfence.admission.drift import Key
from ringfence.admission.probes import PROBES
from ringfence.admission.tokens import OWN_TOKEN_AGE
from ringfence.cli.check.network import ProbeError
from ringfence.model.kinds import SERVICE_ACCOUNT, ResourceType
from ringfence.ports.cluster import Grant

ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
AT_ONCE: Final = 8


def who(calls: Calls) -> str:
    """Our name there."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    reply = calls.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
    return str(reply.body["status"]["userInfo"]["username"]) if reply.ok else ""


def grants(calls: Calls) -> list[Grant]:
    """What we may do in the operator's namespace and, thereby, everywhere."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": names.OPERATOR_NAMESPACE},
    }
    reply = calls.send("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", review)
    rules = reply.body["status"]["resourceRules"] if reply.ok else ()
    return [
        Grant(frozenset(rule["verbs"]), frozenset(rule["apiGroups"] or ()), frozenset(rule["resources"] or ()))
        for rule in rules
        if not rule.get("resourceNames")
    ]


def items(calls: Calls, target: str) -> list[Mapping[str, Any]]:
    """A collection, small enough for one page; empty where the type is not served."""
    found = calls.get(target)
    return list(found["items"]) if found else []


def definitions(calls: Calls) -> dict[str, Any]:
    """CustomResourceDefinitions by name."""
    found = items(calls, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    return {each["metadata"]["name"]: each for each in found}


def image(calls: Calls) -> str:
    """The operator's image. Raises ProbeError where there is no operator."""
    path = f"/apis/apps/v1/namespaces/{names.OPERATOR_NAMESPACE}/deployments/{names.OPERATOR_SERVICE_ACCOUNT}"
    found = calls.get(path)
    if found is None:
        raise ProbeError("the operator, whose image it takes, is not installed")
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def roles(calls: Calls) -> dict[tuple[str, str], Any]:
    """ClusterRoles, and the Roles of the operator's namespace, by kind and name."""
    places = {"ClusterRole": "clusterroles", "Role": f"namespaces/{names.OPERATOR_NAMESPACE}/roles"}
    return {
        (kind, each["metadata"]["name"]): each
        for kind, place in places.items()
        for each in items(calls, f"{RBAC}/{place}")
    }


def policies(calls: Calls) -> dict[Key, Mapping[str, Any]]:
    """Every policy and binding of the cluster, by kind and name."""
    found = {}
    for kind in served(calls):
        for each in items(calls, f"{ADMISSION}/{_plural(kind)}"):
            found[Key(kind, each["metadata"]["name"])] = each
    return found


def served(calls: Calls) -> frozenset[str]:
    """Kinds of policies and bindings that the API server has."""
    resources = (calls.get(ADMISSION) or {}).get("resources", ())
    return frozenset(
        each["kind"] for each in resources if "AdmissionPolicy" in each["kind"] and "/" not in each["name"]
    )


def _plural(kind: str) -> str:
    return f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}s"


def serves(calls: Calls, kind: ResourceType) -> bool:
    """Whether the API server has a type."""
    found = calls.get(f"/apis/{kind.group}/{kind.version}") or {}
    return any(each["name"] == kind.plural for each in found.get("resources", ()))


def planted(calls: Calls) -> frozenset[str]:
    """Namespaces of the canary that are there. The operator may list them and get none."""
    found = {each["metadata"]["name"] for each in items(calls, "/api/v1/namespaces")}
    return frozenset(found & {names.CANARY, names.CANARY_HOME})


def answers(calls: Calls, user: str, kinds: frozenset[str]) -> list[tuple[Probe, Answer]]:
    """Ask for everything that policies should refuse, as the canary and as the operator.

    Whoever is not the operator impersonates both, which an administrator may.
    """
    logins = {asker: _login(calls, asker, user) for asker in Asker}
    probes = [each for each in PROBES if each.subject.split()[0] in kinds]
    there = [each for each in probes if each.needs is None or serves(calls, each.needs)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(zip(there, pool.map(lambda probe: _ask(calls, probe, logins[probe.asker]), there), strict=True))


def _login(calls: Calls, asker: Asker, user: str) -> Mapping[str, str] | str:
    """Headers by which to be ``asker``; where that can't be, why."""
    if user != Asker.OPERATOR.value:
        return {"Impersonate-User": asker.value}
    if asker is Asker.OPERATOR:
        return {}
    target = f"{SERVICE_ACCOUNT.path(names.OPERATOR_NAMESPACE, names.CANARY)}/token"
    reply = calls.send("POST", target, {"spec": {"expirationSeconds": OWN_TOKEN_AGE}})
    return {"Authorization": f"Bearer {reply.body['status']['token']}"} if reply.ok else reply.message


def _ask(calls: Calls, probe: Probe, login: Mapping[str, str] | str) -> Answer:
    if isinstance(login, str):
        return Answer(0, login)
    reply = calls.send(probe.method, probe.target, probe.body, content_type=probe.content_type, headers=login)
    if "impersonate" in reply.message:
        return Answer(0, reply.message)
    return Answer(reply.status, reply.message, reply.warnings, reply.body if isinstance(reply.body, dict) else {})
