"""The linter refuses what could leak a prompt, a key or a tenant, and nothing that is rendered."""

from functools import cache
from typing import Final

import orjson
import pytest

from ringfence.gateway.files import configuration
from ringfence.gateway.lint import Finding, lint
from ringfence.gateway.served import Gateway, Issuer
from tests.unit.gateway import full, parts
from tests.unit.gateway.copies import COPIES
from tests.unit.gateway.full import Json
from tests.unit.gateway.leads import LEADS
from tests.unit.gateway.mutation import Mutation
from tests.unit.gateway.places import ALONE, BEHIND_PROXIES
from tests.unit.gateway.strangers import STRANGERS
from tests.unit.gateway.ways_out import CANARY, WAYS_OUT, inline

WHOLE: Final = full.rendered()
WITH_SERVICE: Final = full.rendered(rate_limit_service=full.SERVICE)
WITH_PROXIES: Final = full.rendered(trusted_proxies=full.PROXIES)


def judged(files: Json) -> tuple[Finding, ...]:
    """What the linter says of files as data."""
    return lint({name: orjson.dumps(content) for name, content in files.items()})


@pytest.mark.parametrize(
    "gateway",
    [
        full.gateway(),
        full.gateway(rate_limit_service=full.SERVICE),
        full.gateway(requests_per_minute=None, probe=None, trusted_proxies=full.PROXIES, replicas=3),
        full.gateway(callers={}),
        Gateway("acme", Issuer("https://issuer", "{}")),
    ],
    ids=["full", "with a service", "plain", "without callers", "empty"],
)
def test_nothing_that_is_rendered_is_refused(gateway: Gateway) -> None:
    """Whatever a gateway has."""
    assert lint(configuration(gateway).files) == ()


MUTATIONS: Final = (*COPIES, *STRANGERS, *ALONE, *LEADS, *WAYS_OUT)


@cache
def allowed() -> tuple[Finding, ...]:
    """What the linter says before any edit."""
    return judged(WHOLE)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.title)
def test_a_forbidden_edit_is_refused(mutation: Mutation) -> None:
    """And by the rule that is meant; before it, nothing was refused."""
    assert allowed() == ()
    assert mutation.rule in {finding.rule for finding in judged(mutation(WHOLE))}


@pytest.mark.parametrize(
    "mutation",
    [
        Mutation(
            "a service that is silent opens the gateway",
            lambda f: parts.step(f, "ringfence.token-limit").update(failure_mode_deny=False),
            "setting",
        ),
        Mutation(
            "a service outside of the cluster",
            lambda f: parts.cluster(f, "ringfence.rate-limit-service").update(type="STATIC"),
            "host",
        ),
    ],
    ids=lambda mutation: mutation.title,
)
def test_a_forbidden_edit_about_the_rate_limit_service_is_refused(mutation: Mutation) -> None:
    """The same with a service that counts tokens."""
    assert judged(WITH_SERVICE) == ()
    assert mutation.rule in {finding.rule for finding in judged(mutation(WITH_SERVICE))}


@pytest.mark.parametrize("mutation", BEHIND_PROXIES, ids=lambda mutation: mutation.title)
def test_a_forbidden_edit_about_proxies_is_refused(mutation: Mutation) -> None:
    """The same with proxies that are trusted."""
    assert judged(WITH_PROXIES) == ()
    assert mutation.rule in {finding.rule for finding in judged(mutation(WITH_PROXIES))}


def test_what_is_no_json_is_refused() -> None:
    """It can't be judged."""
    assert [finding.rule for finding in lint({"lds.json": b"{"})] == ["files"]


def test_a_finding_repeats_no_value() -> None:
    """Where a key stands in a file, its finding would be the next place where it stands."""
    files = Mutation("", lambda f: inline(parts.key_file(f)), "")(WHOLE)
    found = judged(files)
    assert found
    assert CANARY not in "".join(map(str, found))
