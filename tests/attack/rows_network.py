"""Attacks by the network: policies that open the fence, Services that leave it, host names of others."""

from typing import Any, Final

from ringfence import names
from tests.attack.asking import create, patch
from tests.attack.prepared import ADMIN, DEVELOPER, GITOPS
from tests.attack.rows import NETWORKING, Row, core, group, named

GATEWAY_API: Final = "gateway.networking.k8s.io/v1"


def policy(where: str, **spec: Any) -> Any:
    """A NetworkPolicy for all pods."""
    return create(group(NETWORKING, where, "networkpolicies"), named("opened", {"spec": {"podSelector": {}, **spec}}))


def peers(*sources: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"from": list(sources)}]


def chosen(tenant: str, environment: str) -> dict[str, Any]:
    """The peer that these labels choose."""
    return {"namespaceSelector": {"matchLabels": {names.TENANT_LABEL: tenant, names.ENVIRONMENT_LABEL: environment}}}


SELF: Final[dict[str, Any]] = {"podSelector": {}}
OWN: Final = (ADMIN, policy("acme-dev", ingress=peers(SELF)))

POLICY_ROWS: Final = (
    Row("a policy in the home namespace", "network-policy-home", (GITOPS, policy("acme", ingress=peers(SELF))), OWN),
    Row("everybody may come in", "network-policy-open", (ADMIN, policy("acme-dev", ingress=[{}])), OWN),
    Row(
        "everybody may come in to a port",
        "network-policy-open",
        (ADMIN, policy("acme-dev", ingress=[{"ports": [{"port": 80}]}])),
        OWN,
    ),
    Row("pods may reach everybody", "network-policy-open", (ADMIN, policy("acme-dev", egress=[{"to": []}])), OWN),
    Row(
        "the whole Internet",
        "network-policy-addresses",
        (ADMIN, policy("acme-dev", egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])),
        (ADMIN, policy("acme-dev", egress=[{"to": [SELF]}])),
    ),
    Row(
        "the node's metadata service",
        "network-policy-addresses",
        (ADMIN, policy("acme-dev", egress=[{"to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}]}])),
        (ADMIN, policy("acme-dev", egress=[{"to": [SELF]}])),
    ),
    Row(
        "another tenant",
        "network-policy-tenant",
        (ADMIN, policy("acme-dev", ingress=peers(chosen("globex", "dev")))),
        (ADMIN, policy("acme-dev", ingress=peers(chosen("acme", "dev")))),
    ),
    Row(
        "any tenant of that environment, behind one's own",
        "network-policy-tenant",
        (
            ADMIN,
            policy(
                "acme-dev",
                ingress=peers(SELF, {"namespaceSelector": {"matchLabels": {names.ENVIRONMENT_LABEL: "dev"}}}),
            ),
        ),
        (ADMIN, policy("acme-dev", ingress=peers(SELF, chosen("acme", "dev")))),
    ),
    Row(
        "another environment",
        "network-policy-environment",
        (ADMIN, policy("acme-dev", ingress=peers(chosen("acme", "prod")))),
        (ADMIN, policy("acme-dev", ingress=peers(chosen("acme", "dev")))),
    ),
    Row(
        "in an incident",
        "network-policy-quarantine",
        (GITOPS, policy("umbra-dev", ingress=peers(SELF))),
        (GITOPS, policy("acme-dev", ingress=peers(SELF))),
    ),
    Row(
        "into a private model",
        "network-policy-private",
        (ADMIN, policy("acme-models", ingress=peers(SELF))),
        (ADMIN, policy("acme-models", egress=[{"to": [SELF]}], policyTypes=["Egress"])),
    ),
)


GOING: Final = group(NETWORKING, "acme-dev", "networkpolicies", "going")
FREED: Final = {"metadata": {"finalizers": None}}
EVERYWHERE: Final = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}

GOING_ROWS: Final = (
    Row(
        "the whole Internet, once it was deleted and is held",
        "network-policy-addresses",
        (ADMIN, patch(GOING, {"spec": {"egress": [EVERYWHERE]}})),
        (ADMIN, patch(GOING, FREED)),
    ),
    Row(
        "another tenant, once it was deleted and is held",
        "network-policy-tenant",
        (ADMIN, patch(GOING, {"spec": {"ingress": peers(chosen("globex", "dev"))}})),
        (ADMIN, patch(GOING, FREED)),
    ),
    Row(
        "other people's addresses, once it was deleted and is held",
        "service-external-ips",
        (DEVELOPER, patch(core("acme-dev", "services", "going"), {"spec": {"externalIPs": ["203.0.113.7"]}})),
        (DEVELOPER, patch(core("acme-dev", "services", "going"), FREED)),
    ),
    Row(
        "another tenant's host, once it was deleted and is held",
        "ingress-host",
        (
            DEVELOPER,
            patch(
                group(NETWORKING, "acme-dev", "ingresses", "going"), {"spec": {"rules": [{"host": "a.globex.example"}]}}
            ),
        ),
        (DEVELOPER, patch(group(NETWORKING, "acme-dev", "ingresses", "going"), FREED)),
    ),
)


def service(annotations: dict[str, str] | None = None, **spec: Any) -> Any:
    """A Service."""
    whole = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return create(
        core("acme-dev", "services"),
        named("web", {"spec": {k: v for k, v in whole.items() if v is not None}}, annotations=annotations or {}),
    )


PLAIN: Final = (DEVELOPER, service())
PUBLISHED: Final = "external-dns.alpha.kubernetes.io"
ENDPOINTS: Final = named("web", {"subsets": [{"addresses": [{"ip": "10.96.0.1"}], "ports": [{"port": 443}]}]})
SLICE: Final = named("web-1", {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": []})

SERVICE_ROWS: Final = (
    Row(
        "endpoints by hand",
        "endpoints-writer",
        (GITOPS, create(core("acme-dev", "endpoints"), ENDPOINTS)),
        (GITOPS, create(core("default-team", "endpoints"), ENDPOINTS)),
    ),
    Row(
        "a slice of endpoints by hand",
        "endpoints-writer",
        (GITOPS, create(group("discovery.k8s.io/v1", "acme-dev", "endpointslices"), SLICE)),
        (GITOPS, create(group("discovery.k8s.io/v1", "default-team", "endpointslices"), SLICE)),
    ),
    Row(
        "another name for a foreign host",
        "service-type",
        (DEVELOPER, service(type="ExternalName", externalName="metadata.google.internal", selector=None, ports=None)),
        PLAIN,
    ),
    Row("a port of every node", "service-type", (DEVELOPER, service(type="NodePort")), PLAIN, backed=True),
    Row("an address of the cloud's", "service-type", (DEVELOPER, service(type="LoadBalancer")), PLAIN, backed=True),
    Row("other people's addresses", "service-external-ips", (DEVELOPER, service(externalIPs=["203.0.113.7"])), PLAIN),
    Row("no pods behind it", "service-selector", (DEVELOPER, service(selector=None)), PLAIN),
    Row(
        "another tenant's name in the public DNS",
        "service-name",
        (DEVELOPER, service({f"{PUBLISHED}/hostname": "app.globex.example"})),
        (DEVELOPER, service({f"{PUBLISHED}/ttl": "60"})),
    ),
)

BACKEND: Final = {"service": {"name": "web", "port": {"number": 80}}}


def ingress(host: str | None, annotations: dict[str, str] | None = None, path: str = "/", **spec: Any) -> Any:
    """An Ingress for one host."""
    way = {"path": path, "pathType": "ImplementationSpecific", "backend": BACKEND}
    rule: dict[str, Any] = {"http": {"paths": [way]}}
    if host:
        rule["host"] = host
    body = {"spec": {"rules": [rule], **spec}}
    return create(group(NETWORKING, "acme-dev", "ingresses"), named("web", body, annotations=annotations or {}))


def http_route(*hosts: str, annotations: dict[str, str] | None = None) -> Any:
    body = {"apiVersion": GATEWAY_API, "kind": "HTTPRoute", "spec": {"hostnames": list(hosts)}}
    return create(group(GATEWAY_API, "acme-dev", "httproutes"), named("web", body, annotations=annotations or {}))


GRANTED: Final = (DEVELOPER, ingress("app.acme.example"))
GATE: Final = named("own", {"apiVersion": GATEWAY_API, "kind": "Gateway", "spec": {}})
TCP: Final = named("db", {"apiVersion": GATEWAY_API, "kind": "TCPRoute", "spec": {}})

HOST_ROWS: Final = (
    Row("another tenant's host", "ingress-host", (DEVELOPER, ingress("app.globex.example")), GRANTED),
    Row(
        "a host that only ends alike",
        "ingress-host",
        (DEVELOPER, ingress("evilacme.example")),
        (DEVELOPER, ingress("acme.example")),
    ),
    Row("every host", "ingress-host", (DEVELOPER, ingress(None)), (DEVELOPER, ingress("*.acme.example"))),
    Row(
        "whatever nobody else serves",
        "ingress-default",
        (DEVELOPER, ingress("app.acme.example", defaultBackend=BACKEND)),
        GRANTED,
    ),
    Row(
        "a certificate for another tenant's host",
        "ingress-tls",
        (DEVELOPER, ingress("app.acme.example", tls=[{"hosts": ["app.globex.example"]}])),
        (DEVELOPER, ingress("app.acme.example", tls=[{"hosts": ["app.acme.example"]}])),
    ),
    Row(
        "configuration of the controller",
        "ingress-annotations",
        (DEVELOPER, ingress("app.acme.example", {"nginx.ingress.kubernetes.io/configuration-snippet": "x"})),
        (DEVELOPER, ingress("app.acme.example", {"nginx.ingress.kubernetes.io/rewrite-target": "/"})),
    ),
    Row(
        "another host by annotation",
        "ingress-annotations",
        (DEVELOPER, ingress("app.acme.example", {"nginx.ingress.kubernetes.io/server-alias": "x"})),
        GRANTED,
    ),
    Row(
        "another tenant's name in the public DNS",
        "ingress-annotations",
        (DEVELOPER, ingress("app.acme.example", {f"{PUBLISHED}/hostname": "app.globex.example"})),
        (DEVELOPER, ingress("app.acme.example", {f"{PUBLISHED}/ttl": "60"})),
    ),
    Row(
        "a certificate for another tenant's host, by an annotation",
        "ingress-annotations",
        (DEVELOPER, ingress("app.acme.example", {"cert-manager.io/common-name": "app.globex.example"})),
        (DEVELOPER, ingress("app.acme.example", {"cert-manager.io/cluster-issuer": "ours"})),
    ),
    Row(
        "an address of its own for a name in the public DNS",
        "ingress-annotations",
        (DEVELOPER, http_route("app.acme.example", annotations={f"{PUBLISHED}/target": "203.0.113.7"})),
        (DEVELOPER, http_route("app.acme.example", annotations={f"{PUBLISHED}/ttl": "60"})),
    ),
    Row(
        "another tenant's passwords, by an annotation",
        "ingress-secret",
        (DEVELOPER, ingress("app.acme.example", {"nginx.ingress.kubernetes.io/auth-secret": "globex-dev/users"})),
        (DEVELOPER, ingress("app.acme.example", {"nginx.ingress.kubernetes.io/auth-secret": "acme-dev/users"})),
    ),
    Row(
        "configuration in a path",
        "ingress-text",
        (DEVELOPER, ingress("app.acme.example", path="/x;}location/y{proxy_pass")),
        (DEVELOPER, ingress("app.acme.example", path="/x(/|$)(.*)")),
    ),
    Row(
        "configuration in an annotation",
        "ingress-text",
        (DEVELOPER, ingress("app.acme.example", {"nginx.ingress.kubernetes.io/rewrite-target": "/;}\n"})),
        (DEVELOPER, ingress("app.acme.example", {"nginx.ingress.kubernetes.io/rewrite-target": "/$1"})),
    ),
    Row(
        "a route for another tenant's host",
        "route-host",
        (DEVELOPER, http_route("app.globex.example")),
        (DEVELOPER, http_route("app.acme.example")),
    ),
    Row("a route for every host", "route-host", (DEVELOPER, http_route()), (DEVELOPER, http_route("acme.example"))),
    Row(
        "a route by port",
        "route-kind",
        (GITOPS, create(group(GATEWAY_API, "acme-dev", "tcproutes"), TCP)),
        (GITOPS, create(group(GATEWAY_API, "default-team", "tcproutes"), TCP)),
    ),
    Row(
        "a door of its own, beside the platform's",
        "route-kind",
        (GITOPS, create(group(GATEWAY_API, "acme-dev", "gateways"), GATE)),
        (GITOPS, create(group(GATEWAY_API, "default-team", "gateways"), GATE)),
    ),
)

ROWS: Final = (*POLICY_ROWS, *GOING_ROWS, *SERVICE_ROWS, *HOST_ROWS)
