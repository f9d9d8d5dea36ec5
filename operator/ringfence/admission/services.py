"""Services, and the ways in from outside.

Law: a Service leads to pods of its own namespace and is reached from within the cluster; from outside one comes in
under host names that the Tenant was given, through the platform's shared controllers.
"""

from typing import Final

from ringfence.admission.cel import GLASS_WHOLE, LIVING, NOT_OPERATOR, RESOURCE, annotations, by_controllers
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat

_INGRESS: Final = f"{RESOURCE} != 'ingresses' || "
_BY_ENDPOINT_CONTROLLERS: Final = by_controllers(
    "endpoint-controller", "endpointslice-controller", "endpointslicemirroring-controller"
)
_NAMED_ROUTES: Final = ("grpcroutes", "httproutes", "tlsroutes")
_HOST: Final = "r.?host.orValue('')"
# They lead by port, not by host name, let others lead into this namespace, or are a door of their own.
_OTHER_ROUTES: Final = ("gateways", "listenersets", "referencegrants", "tcproutes", "udproutes")
# By these, ExternalDNS publishes names and addresses that no host of a rule says, and cert-manager certifies them.
_NO_PUBLIC_NAME: Final = (
    "!(k.startsWith('external-dns.') && (k.endsWith('hostname') || k.endsWith('/target')))"
    " && !k.matches('^cert-manager[.]io/.*-(names?|sans)$')"
)
_OTHER_TEXT: Final = """r'[;{}"`\\x00-\\x1f]'"""


def _granted(host: str) -> str:
    suffix = f"(h.startsWith('*.') && {host}.endsWith(h.substring(1)))"
    return f"({host} != '' && params.spec.?hosts.orValue([]).exists(h, {host} == h || {suffix}))"


SERVICES: Final = Policy(
    name="ringfence-services",
    about="A Service is of type ClusterIP, with a selector, and its endpoints are written by the cluster.",
    resources=(
        Resources("", ("endpoints", "services")),
        Resources("discovery.k8s.io", ("endpointslices",)),
    ),
    unless=(
        GLASS_WHOLE,
        LIVING,
        Expression(
            "not-its-controller",
            f"!({_BY_ENDPOINT_CONTROLLERS})",
        ),
    ),
    variables=(Expression("service", f"{RESOURCE} == 'services'"),),
    validations=(
        Validation(
            "endpoints-writer",
            (Threat.EXPOSED_SERVICES,),
            "variables.service",
            "Endpoints and EndpointSlices are written by the cluster only",
            cve=("CVE-2021-25740",),
        ),
        Validation(
            "service-type",
            (Threat.EXPOSED_SERVICES,),
            "!variables.service || object.spec.?type.orValue('ClusterIP') == 'ClusterIP'",
            "only Services of type ClusterIP",
        ),
        Validation(
            "service-external-ips",
            (Threat.EXPOSED_SERVICES,),
            "!variables.service || object.spec.?externalIPs.orValue([]).size() == 0",
            "no externalIPs: they would catch other people's traffic",
            cve=("CVE-2020-8554",),
        ),
        Validation(
            "service-selector",
            (Threat.EXPOSED_SERVICES,),
            """
            !variables.service || object.spec.?type.orValue('') == 'ExternalName'
              || object.spec.?selector.orValue({}).size() > 0
            """,
            "a Service selects pods",
        ),
        Validation(
            "service-name",
            (Threat.OPENED_NETWORK, Threat.SIDE_ENTRANCES),
            f"!variables.service || {annotations('object')}.all(k, {_NO_PUBLIC_NAME})",
            "no annotations that publish a name or an address for it",
        ),
    ),
)

HOSTS: Final = Policy(
    name="ringfence-hosts",
    about="From outside one comes in under the Tenant's own host names.",
    resources=(
        Resources("networking.k8s.io", ("ingresses",)),
        Resources("gateway.networking.k8s.io", (*_NAMED_ROUTES, *_OTHER_ROUTES)),
    ),
    unless=(NOT_OPERATOR, GLASS_WHOLE, LIVING),
    missing="Deny",
    validations=(
        Validation(
            "ingress-host",
            (Threat.OPENED_NETWORK,),
            f"{_INGRESS}object.spec.?rules.orValue([]).all(r, {_granted(_HOST)})",
            "every rule has a host, and it is one of the Tenant's spec.network.hosts",
        ),
        Validation(
            "ingress-default",
            (Threat.OPENED_NETWORK,),
            f"{_INGRESS}!has(object.spec.defaultBackend)",
            "no default backend: it would catch requests for every host",
        ),
        Validation(
            "ingress-tls",
            (Threat.OPENED_NETWORK,),
            f"{_INGRESS}object.spec.?tls.orValue([]).all(t, t.?hosts.orValue(['']).all(n, {_granted('n')}))",
            "every host under tls is one of the Tenant's spec.network.hosts",
        ),
        Validation(
            "ingress-annotations",
            (Threat.OPENED_NETWORK, Threat.INJECTED_TEXT),
            f"""
            {annotations("object")}.all(k, {_NO_PUBLIC_NAME} && ({_INGRESS}!k.contains('snippet')
              && !k.endsWith('/server-alias') && !k.endsWith('/mirror-target') && !k.endsWith('/auth-url')))
            """,
            "no annotations that write the controller's configuration or add hosts to it",
            cve=("CVE-2021-25742", "CVE-2025-1974"),
        ),
        Validation(
            "ingress-secret",
            (Threat.READ_SECRETS,),
            f"""
            {_INGRESS}object.metadata.?annotations.orValue({{}}).all(k, !k.endsWith('-secret')
              || !object.metadata.annotations[k].contains('/')
              || object.metadata.annotations[k].startsWith(request.namespace + '/'))
            """,
            "an annotation names no Secret of another namespace",
        ),
        Validation(
            "ingress-text",
            (Threat.INJECTED_TEXT,),
            f"""
            {_INGRESS}(object.metadata.?annotations.orValue({{}}).all(k, !k.startsWith('nginx.ingress.kubernetes.io/')
              || !object.metadata.annotations[k].matches({_OTHER_TEXT}))
              && object.spec.?rules.orValue([]).all(r, r.?http.?paths.orValue([]).all(p,
                !p.?path.orValue('').matches({_OTHER_TEXT}))))
            """,
            "no braces, semicolons, quotes or line breaks in paths and annotations: they become configuration",
            cve=("CVE-2021-25745", "CVE-2021-25748", "CVE-2023-5044", "CVE-2025-1097"),
        ),
        Validation(
            "route-host",
            (Threat.OPENED_NETWORK,),
            f"""
            !({RESOURCE} in {list(_NAMED_ROUTES)}) || (object.spec.?hostnames.orValue([]).size() > 0
              && object.spec.hostnames.all(n, {_granted("n")}))
            """,
            "a route has host names, and they are among the Tenant's spec.network.hosts",
        ),
        Validation(
            "route-kind",
            (Threat.OPENED_NETWORK, Threat.SIDE_ENTRANCES),
            f"!({RESOURCE} in {list(_OTHER_ROUTES)})",
            "no",
            f"{RESOURCE} + ' in a tenant namespace'",
        ),
    ),
)

POLICIES: Final = (SERVICES, HOSTS)
