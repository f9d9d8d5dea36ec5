"""API Priority and Fairness: in which flow each request waits, as the API server itself tells in its answers."""

import http.client
import ssl
from typing import Protocol
from urllib.parse import urlsplit

import pytest

from ringfence import names
from ringfence.controlplane import Client, ControlPlane
from ringfence.model.kinds import CONFIG_MAP, LEASE, MODEL_ROUTE, NETWORK_POLICY, TENANT
from ringfence.plan.flows import OPERATOR_FLOWS, PEOPLE_FLOWS, TENANT_FLOWS
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

_FLOW_CONTROL = "/apis/flowcontrol.apiserver.k8s.io/v1"
_OPERATOR = (names.OPERATOR_USER, ("system:serviceaccounts",))
_MEMBER = ("ann", ("oidc:acme-owners",))
_ROBOT = ("system:serviceaccount:flux-system:flux", ("system:serviceaccounts",))

Who = tuple[str, tuple[str, ...]]


class Asked(Protocol):
    """Names of the flow schema and of the priority level by which a request is served."""

    def __call__(self, who: Who, path: str, method: str = "GET") -> tuple[str, str]: ...


@pytest.fixture(scope="module")
def asked(controlplane: ControlPlane, admin: Client) -> Asked:
    """Ask as somebody, and look into the answer's headers."""

    def ask(who: Who, path: str, method: str = "GET") -> tuple[str, str]:
        told = _headers(controlplane, who, method, path)
        return (
            _name(admin, "flowschemas", told["X-Kubernetes-PF-FlowSchema-UID"]),
            _name(admin, "prioritylevelconfigurations", told["X-Kubernetes-PF-PriorityLevel-UID"]),
        )

    eventually(lambda: ask(_OPERATOR, TENANT.collection_path()) == (OPERATOR_FLOWS, OPERATOR_FLOWS), 90)
    return ask


@pytest.mark.parametrize(
    "path",
    [
        LEASE.path(names.OPERATOR_NAMESPACE, names.LEASE),
        NETWORK_POLICY.collection_path("acme-dev"),
        NETWORK_POLICY.collection_path(),
        "/apis/ringfence.dev",
    ],
)
def test_all_that_the_operator_asks_has_seats_of_its_own(asked: Asked, path: str) -> None:
    """No flood of anybody else's takes them."""
    assert asked(_OPERATOR, path) == (OPERATOR_FLOWS, OPERATOR_FLOWS)


@pytest.mark.parametrize("path", [MODEL_ROUTE.path("acme", "chat"), TENANT.path(None, "acme")])
@pytest.mark.parametrize("who", [_MEMBER, _ROBOT])
def test_writes_of_our_kinds_wait_behind_their_users_own(asked: Asked, who: Who, path: str) -> None:
    """Whether or not they are allowed: the API server queues before it authorizes."""
    assert asked(who, path, "DELETE") == (TENANT_FLOWS, TENANT_FLOWS)


def test_what_people_write_in_namespaces_waits_behind_their_own(asked: Asked) -> None:
    """It shares few seats with what wakes the operator; the cluster's robots are left where they were."""
    path = CONFIG_MAP.path("acme-dev", "own")
    assert asked(_MEMBER, path, "DELETE") == (PEOPLE_FLOWS, TENANT_FLOWS)
    assert asked(_ROBOT, path, "DELETE")[0] == "service-accounts"


@pytest.mark.parametrize("path", [CONFIG_MAP.collection_path("acme-dev"), MODEL_ROUTE.collection_path("acme")])
def test_what_is_only_read_is_left_to_the_clusters_own_levels(asked: Asked, path: str) -> None:
    """Which tell users apart as well."""
    assert asked(_MEMBER, path)[0] == "global-default"


def _headers(plane: ControlPlane, who: Who, method: str, path: str) -> http.client.HTTPMessage:
    tls = ssl.create_default_context(cafile=str(plane.ca))
    tls.load_cert_chain(plane.certificate(*who))
    connection = http.client.HTTPSConnection(urlsplit(plane.url).netloc, context=tls, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        answer.read()
        return answer.headers
    finally:
        connection.close()


def _name(admin: Client, plural: str, uid: str) -> str:
    listed = admin.get(f"{_FLOW_CONTROL}/{plural}").must()["items"]
    return str(next(item["metadata"]["name"] for item in listed if item["metadata"]["uid"] == uid))
