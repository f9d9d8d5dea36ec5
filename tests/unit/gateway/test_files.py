"""The files of a gateway: a function of what it serves, and small enough."""

import hashlib
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.gateway import files
from ringfence.gateway.files import LARGEST, TooLargeError, configuration
from ringfence.gateway.lint import lint
from ringfence.gateway.served import Callers, Gateway, Grant, Limits, Route, Target, Upstream
from tests.unit.gateway import full, parts
from tests.unit.gateway.full import Json

ROUTES: Final = 800
PROVIDERS: Final = 10
NAMESPACES: Final = 6
ENVIRONMENTS: Final = ("dev", "prod")


def test_another_gateway_has_another_revision() -> None:
    """Whatever is different."""
    changes: tuple[Json, ...] = (
        {},
        {"replicas": 2},
        {"tenant": "globex"},
        {"trusted_proxies": full.PROXIES},
        {"probe": None},
        {"callers": {}},
    )
    assert len({configuration(full.gateway(**change)).revision for change in changes}) == len(changes)


def test_the_revision_is_told_where_it_is_looked_for() -> None:
    """By each line of the log, by the answer to the probe, and by Envoy itself."""
    made = configuration(full.gateway())
    found = full.parsed(made.files)
    assert parts.host(found)["metadata"]["filter_metadata"]["ringfence"] == {"config_rev": made.revision}
    assert {content["version_info"] for name, content in found.items() if name != "bootstrap.json"} == {made.revision}
    assert made.files["rds.json"].count(made.revision.encode()) == 3


def test_a_pod_need_not_start_again_for_another_configuration() -> None:
    """What Envoy starts with is the same."""
    one, other = full.rendered(), full.rendered(callers={}, upstreams=(), replicas=3)
    assert one != other
    assert one["bootstrap.json"] == other["bootstrap.json"]


def test_routes_come_and_go_without_a_change_of_the_listener() -> None:
    """A listener that changes ends what is streamed through it."""
    one, other = full.rendered(), full.rendered(callers={"acme-dev": Callers("dev", (Grant(full.CHAT),))})
    assert one["rds.json"] != other["rds.json"]
    assert one["lds.json"]["resources"] == other["lds.json"]["resources"]


def crowded(routes: int = ROUTES) -> Gateway:
    """A gateway with many routes, each with a fallback and both limits, in several namespaces."""
    limits = Limits(requests_per_minute=600, tokens_per_minute=200_000)
    made = [
        Route(f"route-{n:04}", f"model-{n:04}", f"rev-{n:016x}", _pools(n), limits, "staging") for n in range(routes)
    ]
    callers = {f"acme-team-{n}": Callers("staging", tuple(map(Grant, made))) for n in range(NAMESPACES)}
    upstreams = tuple(Upstream(f"provider-{n}", f"api.provider-{n}.example", 443) for n in range(PROVIDERS))
    return replace(full.gateway(), upstreams=upstreams, callers=callers)


def _pools(number: int) -> tuple[tuple[Target, ...], ...]:
    first, spare = (f"provider-{n % PROVIDERS}" for n in (number, number + 1))
    return (Target(first, f"gpt-large-{number}"),), (Target(spare, f"other-model-{number}"),)


def test_eight_hundred_routes_fit() -> None:
    """With a sixth of the room left, and by the linter's leave."""
    made = configuration(crowded()).files
    assert sum(map(len, made.values())) < 5 / 6 * LARGEST
    assert lint(made) == ()


def test_environments_share_a_route_whose_limits_count_nothing_together() -> None:
    """It stands once, wherever it serves; one that is counted in each stands in each."""
    for limits, number in ((Limits(timeout=5), 1), (Limits(1), 2), (Limits(None, 1), 2), (Limits(max_parallel=1), 2)):
        served = {each: replace(full.CHAT, limits=limits, environment=each) for each in ENVIRONMENTS}
        callers = {f"acme-{each}": Callers(each, (Grant(route),)) for each, route in served.items()}
        assert len(parts.forwarding(full.rendered(callers=callers))) == number


def test_what_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the error says how much there is room for."""
    size = sum(len(name) + len(content) for name, content in configuration(full.gateway()).files.items())
    monkeypatch.setattr(files, "LARGEST", size)
    assert configuration(full.gateway()).files
    monkeypatch.setattr(files, "LARGEST", size - 1)
    with pytest.raises(TooLargeError, match=f"{size:,} bytes"):
        configuration(full.gateway())


UPSTREAMS: Final = (
    full.FIRST,
    replace(full.FIRST, name="first.old", provider="first"),
    full.SECOND,
    full.CLAUDE,
    full.PLAIN,
)
FEW: Final = settings(max_examples=25, deadline=None)


def pinned(name: str, model: str, pools: tuple[tuple[Target, ...], ...], limits: Limits) -> Route:
    """A route whose revision is that of its content."""
    content = repr((model, pools, limits)).encode()
    return Route(name, model, f"rev-{hashlib.sha256(content).hexdigest()[:16]}", pools, limits)


models = st.sampled_from(["one", 'wi"th', "100%"])
targets = st.builds(Target, st.sampled_from([each.name for each in UPSTREAMS]), models, st.integers(1, 9))
pools = st.lists(st.lists(targets, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)
numbers = st.none() | st.sampled_from([1, 599, 2**31 - 1])
limits = st.builds(Limits, numbers, numbers, max_parallel=st.none() | st.integers(1, 99))
routes = st.builds(pinned, st.sampled_from("abc"), st.sampled_from("xyz"), pools, limits)
accounts = st.frozensets(st.sampled_from(["ui", "batch.v2", "a-b"]), max_size=2)


@st.composite
def callers(draw: st.DrawFn) -> dict[str, Callers]:
    """Of environments that serve the same revisions, each from those of their targets that may be used there."""
    revisions = draw(st.lists(routes, max_size=5, unique_by=lambda route: (route.name, route.revision)))
    served = {
        environment: draw(st.tuples(*(usable(route, environment) for route in revisions)))
        for environment in ENVIRONMENTS
    }
    found = {}
    for namespace in draw(st.sets(st.sampled_from(["acme-a", "acme-b", "acme-a-b"]))):
        environment = draw(st.sampled_from(ENVIRONMENTS))
        names = {route.name: route for route in served[environment]}
        models = {route.model: route for route in names.values()}
        grants = tuple(Grant(route, draw(accounts)) for route in models.values() if draw(st.booleans()))
        found[namespace] = Callers(environment, grants)
    return found


def usable(route: Route, environment: str) -> st.SearchStrategy[Route]:
    """A revision in an environment, with all of its pools or some."""
    kept = st.lists(st.sampled_from(route.pools), min_size=1, unique=True).map(tuple) | st.just(route.pools)
    return st.builds(replace, st.just(route), pools=kept, environment=st.just(environment))


gateways = st.builds(
    Gateway,
    st.just("acme"),
    st.just(full.gateway().issuer),
    st.just(UPSTREAMS),
    callers(),
    st.just(full.PROBE),
    rate_limit_service=st.sampled_from(["", full.SERVICE]),
)


@FEW
@given(gateways)
def test_every_gateway_passes_the_linter(gateway: Gateway) -> None:
    """Whatever is served."""
    assert lint(configuration(gateway).files) == ()


@FEW
@given(gateways)
def test_the_same_gateway_gives_the_same_bytes(gateway: Gateway) -> None:
    """In whatever order its callers and providers are told."""
    turned = dict(reversed(list(gateway.callers.items())))
    again = replace(gateway, callers=turned, upstreams=tuple(reversed(gateway.upstreams)))
    assert configuration(again) == configuration(gateway)


@FEW
@given(gateways)
def test_a_route_leads_to_its_own_providers_only(gateway: Gateway) -> None:
    """By whatever clusters: what the Tenant does not name for it is reached by no fallback."""
    found = full.parsed(configuration(gateway).files)
    keys = {upstream.name: upstream.key for upstream in UPSTREAMS}
    wanted = {
        (each.name, each.revision, frozenset(keys[target.upstream] for target in each.targets))
        for each in gateway.routes
    }
    led = {(*parts.names_of(each), frozenset(parts.providers(found, each))) for each in parts.forwarding(found)}
    assert led == wanted
