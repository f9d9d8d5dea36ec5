"""The exceptions to "nothing in, nothing out" that a platform team grants to a tenant."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from ringfence.model.addresses import Cidr, OutsideCidr, Ports, ServedHost
from ringfence.model.fields import LABEL_KEYS, DnsLabel, LabelValue, Line
from ringfence.model.rules import Keyed, Model, Unique


class Dns(Model):
    """Where pods resolve names."""

    namespace: DnsLabel = "kube-system"
    """Core namespace of the DNS servers."""
    pod_selector: Annotated[Mapping[str, LabelValue], Field(min_length=1, max_length=4), LABEL_KEYS] = Field(
        default_factory=lambda: {"k8s-app": "kube-dns"}
    )
    """Labels of the DNS servers' pods; `k8s-app: kube-dns` where it is left out."""
    ports: Ports = (53,)
    """Ports that the DNS servers' pods listen on, UDP and TCP."""
    cidrs: Annotated[tuple[Cidr, ...], Field(max_length=8), Unique()] = ()
    """Addresses of DNS servers that are no pods: a node-local cache."""


class EgressException(Model):
    """A network outside the cluster that the tenant's pods may reach."""

    description: Annotated[Line, Field(max_length=128)] | None = None
    """What is there."""
    cidr: OutsideCidr
    """The network; never one that overlaps a protected range."""
    ports: Ports
    """TCP ports."""


class IngressSource(Model):
    """A shared service that may reach the tenant's pods: an ingress controller, monitoring."""

    namespace: DnsLabel
    """Its core namespace."""


class TenantNetwork(Model):
    """Exceptions to: nothing in, nothing out."""

    dns: Dns = Dns()
    """Where pods resolve names."""
    egress: Annotated[tuple[EgressException, ...], Field(max_length=64)] = ()
    """Networks outside the cluster that pods may reach."""
    ingress_from: Annotated[tuple[IngressSource, ...], Field(max_length=16), Keyed("namespace")] = ()
    """Shared services that may reach the pods."""
    hosts: Annotated[tuple[ServedHost, ...], Field(max_length=64), Unique()] = ()
    """Host names for Ingress and HTTPRoute objects; without any there is no Ingress."""
