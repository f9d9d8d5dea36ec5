"""Quantities are read, compared and written as Kubernetes does it: the API server is the oracle."""

from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ringfence.controlplane import Client
from ringfence.model.quantity import LARGEST, MAX_LENGTH, PATTERN, Quantity

pytestmark = pytest.mark.apiserver

_KEYS: Final = (
    *("requests.cpu", "limits.cpu", "requests.memory", "limits.memory", "cpu", "memory"),
    *("requests.ephemeral-storage", "limits.ephemeral-storage", "requests.storage"),
)
_KNOWN: Final = (
    *("0", "1", "00", "007", "1.", ".5", "0.5", "500m", "1000m", "1500m", "0.1n", "1n", "1.0000000001", "999n", "1u"),
    *("1000", "1024", "1500", "1k", "1.5k", "1e3", "1E3", "1e-3", "15e2", "1E", "1e0", "0e5", "12e1"),
    *("1Ki", "1023Ki", "1024Ki", "1.5Ki", "0.5Ki", "0.5Mi", "1000Mi", "1Gi", "1.1Gi", "0.001Ki", "1Ei", "512Pi"),
)


def _stored(admin: Client, texts: Sequence[str]) -> list[str]:
    """What a ResourceQuota says of these amounts after the API server took them."""
    stored: list[str] = []
    for start in range(0, len(texts), len(_KEYS)):
        hard = dict(zip(_KEYS, texts[start:], strict=False))
        quota = {"metadata": {"generateName": "q"}, "spec": {"hard": hard}}
        answer = admin.request("POST", "/api/v1/namespaces/default/resourcequotas?dryRun=All", quota).must()
        stored += [answer["spec"]["hard"][key] for key in hard]
    return stored


def _check(admin: Client, texts: Sequence[str]) -> None:
    written = [str(Quantity.parse(text)) for text in texts]
    assert _stored(admin, written) == written
    assert [str(Quantity.parse(text)) for text in _stored(admin, texts)] == written


def test_known_quantities_are_written_as_the_api_server_stores_them(admin: Client) -> None:
    """What is applied equals what comes back, or every comparison would see drift."""
    _check(admin, _KNOWN)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(texts=st.lists(st.from_regex(PATTERN, fullmatch=True), min_size=9, max_size=9))
def test_random_quantities_are_written_as_the_api_server_stores_them(admin: Client, texts: list[str]) -> None:
    """The same for whatever the grammar allows, up to the greatest amount that we accept."""
    _check(admin, [text for text in texts if len(text) <= MAX_LENGTH and Quantity.parse(text) <= LARGEST])
