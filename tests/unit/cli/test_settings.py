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
