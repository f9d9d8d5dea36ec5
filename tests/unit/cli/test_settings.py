"""Settings of `ringfence run` that are read before anything begins."""

from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.cli.operator import Settings
from ringfence.plan.seen import RateLimitService

SETTINGS = Settings(
    kubeconfig=Path("kubeconfig"),
    context=None,
    ledger="sqlite:///ledger",
    signing_key=None,
    unsafe_admin=False,
    unsafe_without_policies=False,
    metrics_host="",
    metrics_port=-1,
    identity="",
    resync=1800,
    checkpoint=3600,
    writes_per_second=500,
    usage=60,
    pod_ranges=(),
    service_ranges=(),
    node_ranges=(),
)


def test_a_rate_limit_service_is_a_name_and_a_port() -> None:
    """Without one nobody counts."""
    assert SETTINGS.tuning("me").gateways.rate_limit_service is None
    named = replace(SETTINGS, rate_limit_service="limits:8081")
    assert named.tuning("me").gateways.rate_limit_service == RateLimitService("limits", 8081)


@pytest.mark.parametrize("text", ["limits", "limits:", ":8081", "limits:0", "limits:65536", "a/limits:8081", "a.b:1"])
def test_what_is_no_service_is_refused_by_the_name_of_the_option(text: str) -> None:
    """Before the operator does anything."""
    with pytest.raises(ValueError, match="--rate-limit-service is NAME:PORT"):
        replace(SETTINGS, rate_limit_service=text).tuning("me")


@pytest.mark.parametrize("text", ["platform", "Issuer/", "Other/platform"])
def test_what_is_no_issuer_is_refused_by_the_name_of_the_option(text: str) -> None:
    """A misspelt one must not mean that the operator certifies by itself."""
    trusting = replace(SETTINGS, certificate_authority="-----BEGIN CERTIFICATE-----")
    assert replace(trusting, certificate_issuer="Issuer/platform").tuning("me").gateways.certificates is not None
    with pytest.raises(ValueError, match="--certificate-issuer is KIND/NAME"):
        replace(trusting, certificate_issuer=text).tuning("me")


def test_an_issuer_whose_certificates_nobody_could_verify_is_refused() -> None:
    """Callers would have to trust anybody."""
    with pytest.raises(ValueError, match="needs --certificate-authority"):
        replace(SETTINGS, certificate_issuer="Issuer/platform").tuning("me")


def test_trusted_proxies_are_networks() -> None:
    """In one order, each once; nobody is trusted where none is named."""
    assert SETTINGS.tuning("me").gateways.trusted_proxies == ()
    named = replace(SETTINGS, trusted_proxies=("2001:db8::/32", "192.0.2.0/24", "192.0.2.0/24"))
    assert named.tuning("me").gateways.trusted_proxies == ("192.0.2.0/24", "2001:db8::/32")


@pytest.mark.parametrize(
    "text",
    ["1", "192.0.2.1", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/255.255.255.0", "fe80::%eth0/64", "proxy.example/24"],
)
def test_what_is_no_network_is_refused_by_the_name_of_the_option(text: str) -> None:
    """Envoy would leave it out without a word."""
    with pytest.raises(ValueError, match=r"--trusted-proxies is CIDR\[,CIDR...\]"):
        replace(SETTINGS, trusted_proxies=("192.0.2.0/24", text)).tuning("me")


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0"])
def test_nobody_trusts_everybody(text: str) -> None:
    """Pods of the tenant reach the gateway, too."""
    with pytest.raises(ValueError, match="--trusted-proxies can't be everybody"):
        replace(SETTINGS, trusted_proxies=(text,)).tuning("me")


def test_trusted_proxies_leave_room_for_routes() -> None:
    """They stand in the rule of each key."""
    networks = tuple(f"192.0.2.{number}/32" for number in range(17))
    assert len(replace(SETTINGS, trusted_proxies=networks[:16]).tuning("me").gateways.trusted_proxies) == 16
    with pytest.raises(ValueError, match="--trusted-proxies are 16 networks at most"):
        replace(SETTINGS, trusted_proxies=networks).tuning("me")
