"""Laws of what a gateway serves, whatever the platform team and the tenant write."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence import names
from ringfence.gateway.files import configuration
from ringfence.gateway.served import Route
from ringfence.model.kinds import NAMESPACE, TENANT, Ref
from ringfence.model.modelroute import Consumers, ModelRouteSpec, Workload
from ringfence.model.parse import parse
from ringfence.model.subject import Meta, Subject
from ringfence.model.tenant import Residency, TenantSpec
from ringfence.plan.enforcement import IN_FORCE, NOT_ASKED, Enforcement
from ringfence.plan.gateway.callers import Offer
from ringfence.plan.gateway.compose import compose
from ringfence.plan.modelroute.history import History, Kept
from ringfence.plan.modelroute.placement import Placements, placements
from ringfence.plan.modelroute.revision import revision_of
from ringfence.plan.seen import CoreNamespace, Seen
from tests.gateway_world import CHAT, ISSUER, Json, manifest
from tests.simulation import FACTS, START

REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
ENVIRONMENTS = ("dev", "staging", "prod")
PEOPLE = ("oidc:ann", "oidc:ben", "system:serviceaccount:ci:robot", "")
UID = "uid-acme"


# --- who serves where


def contents() -> dict[str, Kept]:
    """Three revisions of a route."""
    found = {}
    for number in (1, 2, 3):
        made = revision_of("acme", route_spec(requests=number), tenant_spec([provider("openai", REGIONS[0])]))
        assert made is not None
        found[made.name] = Kept(made.name, made, number)
    return found


def provider(name: str, region: str, *environments: str) -> Json:
    made: Json = {
        "name": name,
        "schema": "OpenAI",
        "endpoint": {"host": f"{name}.example.com"},
        "region": region,
        "models": ["m"],
        "credential": {"secretRef": {"name": f"model-{name}", "key": "key"}},
    }
    return made | ({"environments": list(environments)} if environments else {})


def tenant_spec(providers: list[Json], protected: Sequence[str] = ("prod",), **spec: object) -> TenantSpec:
    environments = [{"name": name, "protected": name in protected} for name in ENVIRONMENTS]
    subject = parse(manifest(Ref(TENANT, "", "acme"), {"environments": environments, "providers": providers, **spec}))
    assert isinstance(subject.spec, TenantSpec), subject.problems
    return subject.spec


def route_spec(*providers: str, requests: int = 1, model: str = "chat") -> ModelRouteSpec:
    backends = [{"provider": name, "model": "m", "priority": at} for at, name in enumerate(providers or ("openai",))]
    subject = parse(manifest(CHAT, {"model": model, "backends": backends, "limits": {"requestsPerMinute": requests}}))
    assert isinstance(subject.spec, ModelRouteSpec), subject.problems
    return subject.spec


REVISIONS = contents()
revisions = st.sampled_from(sorted(REVISIONS))
TIMES = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
marks = st.dictionaries(st.sampled_from(ENVIRONMENTS), st.sampled_from(TIMES), max_size=2)
words = st.dictionaries(st.sampled_from(ENVIRONMENTS), st.just("oidc:eve"), max_size=2)


@dataclass(frozen=True)
class Way:
    """A route in the middle of its way, with whatever marks its revisions bear."""

    route: Subject[ModelRouteSpec]
    history: History
    enforcement: Enforcement
    protected: tuple[str, ...]

    @property
    def spec(self) -> ModelRouteSpec:
        assert self.route.spec is not None
        return self.route.spec


@st.composite
def ways(draw: st.DrawFn) -> Way:
    """Routes on their ways, among environments of which any may be protected."""
    protected = tuple(name for name in ENVIRONMENTS if name == "prod" or draw(st.booleans()))
    promoted = {name: draw(revisions) for name in ENVIRONMENTS if draw(st.booleans()) or name == "prod"}
    approvals = [
        {"environment": name, "revision": revision, "by": draw(st.sampled_from(PEOPLE[:3]))}
        for name, revision in {**promoted, "staging": draw(revisions)}.items()
        if draw(st.booleans())
    ]
    backends = [{"provider": "openai", "model": "m"}]
    spec = {"model": "chat", "backends": backends, "promotions": promoted, "approvals": approvals}
    made = parse(manifest(CHAT, spec))
    stamps = {f"{names.PROMOTED_BY_PREFIX}{name}": draw(st.sampled_from(PEOPLE)) for name in promoted}
    served = st.one_of(marks, st.just(dict.fromkeys(ENVIRONMENTS, TIMES[0])))
    kept = {
        name: replace(each, serves=draw(marks), served=draw(served), approved=draw(words))
        for name, each in REVISIONS.items()
        if draw(st.integers(0, 3))
    }
    assert made.spec is not None, made.problems
    enforcement = draw(st.sampled_from((IN_FORCE, IN_FORCE, NOT_ASKED)))
    return Way(replace(made, meta=replace(made.meta, annotations=stamps)), kept, enforcement, protected)


def placed(way: Way) -> Placements:
    tenant = tenant_spec([provider("openai", REGIONS[0])], way.protected)
    return placements(way.route, tenant, way.history, way.enforcement)


@settings(max_examples=60)
@given(ways())
def test_what_is_new_in_an_environment_served_in_the_one_before(way: Way) -> None:
    """A step at a time, in the Tenant's order; what served there already is not new."""
    for each in placed(way).served:
        if each.environment != ENVIRONMENTS[0]:
            kept = way.history[each.revision]
            before = ENVIRONMENTS[ENVIRONMENTS.index(each.environment) - 1]
            assert each.environment in kept.serves or before in kept.served


@settings(max_examples=200)
@given(ways())
def test_two_persons_stand_for_whatever_serves_in_a_protected_environment(way: Way) -> None:
    """Be it the first one: now, while the policies that name them are in force, or when it came."""
    for each in (one for one in placed(way).served if one.environment in way.protected):
        name, kept = each.environment, way.history[each.revision]
        if name in kept.serves and each.approved_by == kept.approved.get(name):
            continue
        promoter = way.route.meta.annotations[f"{names.PROMOTED_BY_PREFIX}{name}"]
        approvers = {one.by for one in way.spec.approvals if (one.environment, one.revision) == (name, each.revision)}
        assert promoter
        assert each.approved_by in {one for one in approvers if one and not one.startswith("system:")} - {promoter}
        assert way.enforcement.opens


@settings(max_examples=60)
@given(ways())
def test_nothing_serves_where_nothing_is_promoted(way: Way) -> None:
    """What is not promoted is withdrawn; what is promoted and waits is told."""
    found = placed(way)
    follows = {"dev"} - {*way.protected}
    promoted = {name: revision for name, revision in way.spec.promotions.items() if name not in follows}
    assert {each.environment for each in found.served} <= {*follows, *promoted}
    waiting = {each for each, revision in promoted.items() if found.revisions.get(each) != revision}
    unpromoted = {"dev"} - follows - {*promoted}
    assert len(found.findings) == len(waiting) + len(unpromoted)


# --- who calls

ROUTE = Route("chat", "chat", "rev-0123456789abcdef", ())
PLACES = tuple((namespace, name) for namespace in ("web", "live") for name in ("ui", "batch"))


@st.composite
def consumers(draw: st.DrawFn) -> Consumers:
    """Some namespaces, some accounts, or nobody by name."""
    named = draw(st.lists(st.sampled_from(PLACES), max_size=2, unique=True))
    return Consumers(
        namespaces=tuple(draw(st.lists(st.sampled_from(("web", "live")), max_size=2, unique=True))),
        service_accounts=tuple(Workload(namespace=namespace, name=name) for namespace, name in named),
    )


def may_call(approved: Consumers, wanted: Consumers, namespace: str, account: str, *bound: str) -> bool:
    grant = Offer(ROUTE, approved, wanted).grant(namespace, frozenset(bound))
    return grant is not None and grant.lets(account)


def is_for(listed: Consumers, namespace: str, account: str) -> bool:
    return not listed.anybody or namespace in listed.namespaces or names_it(listed, namespace, account)


def names_it(listed: Consumers, namespace: str, account: str) -> bool:
    return Workload(namespace=namespace, name=account) in listed.service_accounts


@settings(max_examples=200)
@given(consumers(), consumers())
def test_whoever_calls_is_named_by_the_revision_and_by_the_spec(approved: Consumers, wanted: Consumers) -> None:
    """What is written after an approval lets nobody in, and what was approved keeps nobody in."""
    emptied = approved.anybody and not wanted.anybody
    for place in PLACES:
        both = is_for(approved, *place) and is_for(wanted, *place)
        assert may_call(approved, wanted, *place) is (both and not emptied)


@settings(max_examples=200)
@given(consumers(), consumers())
def test_whoever_is_taken_out_is_turned_away(approved: Consumers, wanted: Consumers) -> None:
    """Be he the last one; and nobody comes in by that."""
    fewer = Consumers(namespaces=wanted.namespaces[1:], service_accounts=wanted.service_accounts[1:])
    if not approved.anybody:
        return
    for place in PLACES:
        assert may_call(approved, fewer, *place) <= (may_call(approved, wanted, *place) and is_for(fewer, *place))


@settings(max_examples=200)
@given(consumers(), consumers())
def test_a_key_where_two_persons_decide_calls_what_both_lists_name_it_in(
    approved: Consumers, wanted: Consumers
) -> None:
    """Neither as part of its Namespace nor as anybody; and others call what they called without it."""
    for namespace, key in PLACES:
        named = names_it(approved, namespace, key) and names_it(wanted, namespace, key)
        assert may_call(approved, wanted, namespace, key, key) is named
        other = next(name for place, name in PLACES if place == namespace and name != key)
        assert may_call(approved, wanted, namespace, other, key) is may_call(approved, wanted, namespace, other)


# --- where requests go to

somewhere = st.tuples(st.sampled_from(REGIONS), st.lists(st.sampled_from(ENVIRONMENTS), max_size=2, unique=True))


@st.composite
def tenants(draw: st.DrawFn) -> Seen:
    """Providers anywhere, routes to any of them, namespaces of this tenant and of nobody."""
    providers = [provider(f"p{at}", *_flat(draw(somewhere))) for at in range(draw(st.integers(1, 3)))]
    spec = tenant_spec(providers)
    allowed = tuple(draw(st.lists(st.sampled_from(REGIONS), min_size=1, unique=True)))
    residency = Residency(regions=allowed, boundary=draw(st.sampled_from(("Regions", "Cluster"))))
    # Admission refuses such a Tenant; what was let in before it learned to must not leave the regions either.
    tenant = subject(Ref(TENANT, "", "acme"), spec.model_copy(update={"residency": residency}), uid=UID)
    chosen = st.lists(st.sampled_from([each["name"] for each in providers]), min_size=1, unique=True)
    routes = tuple(
        subject(
            CHAT._replace(name=f"r{at}"), route_spec(*draw(chosen), model=draw(st.sampled_from("ab"))), uid=f"u{at}"
        )
        for at in range(draw(st.integers(1, 3)))
    )
    return Seen(
        now=START,
        facts=replace(FACTS, issuer=ISSUER),
        tenant=tenant,
        namespaces=tuple(namespace(name) for name in ("one", "two", "three")),
        routes=routes,
        cores={
            f"acme-{name}": core(f"acme-{name}", owner) for name, owner in (("one", UID), ("two", UID), ("three", "x"))
        },
    )


def _flat(place: tuple[str, list[str]]) -> Sequence[str]:
    return (place[0], *place[1])


def subject(ref: Ref, spec: Any, *, uid: str) -> Subject[Any]:
    return Subject(ref, Meta(uid=uid, generation=1, created="2026-01-01T00:00:00Z"), spec)


def namespace(name: str) -> Subject[Any]:
    ref = Ref(NAMESPACE, "acme", name)
    return subject(ref, parse(manifest(ref, {"environment": "dev"})).spec, uid=name)


def core(name: str, owner: str) -> CoreNamespace:
    return CoreNamespace(name, name, {names.TENANT_LABEL: "acme", names.OWNER_UID_LABEL: owner})


@settings(max_examples=30)
@given(tenants())
def test_no_chain_leaves_the_regions(seen: Seen) -> None:
    """Neither a first choice nor a fallback, neither as a value nor in the files that Envoy reads."""
    assert seen.tenant is not None
    assert seen.tenant.spec is not None
    residency = seen.tenant.spec.residency
    assert residency is not None
    inside = () if residency.boundary == "Cluster" else residency.regions
    outside = {f"{each.name}.example.com" for each in seen.tenant.spec.providers if each.region not in inside}
    gateway = compose(seen.tenant, seen).gateway
    assert {each.host for each in gateway.upstreams}.isdisjoint(outside)
    text = b"".join(configuration(gateway).files.values())
    assert not [host for host in outside if host.encode() in text]


@settings(max_examples=30)
@given(tenants(), st.randoms(use_true_random=False))
def test_the_order_in_which_objects_come_changes_nothing(seen: Seen, chance: random.Random) -> None:
    """The same objects are the same gateway."""
    assert seen.tenant is not None
    shuffled = replace(
        seen,
        routes=tuple(chance.sample(seen.routes, len(seen.routes))),
        namespaces=tuple(chance.sample(seen.namespaces, len(seen.namespaces))),
        cores=dict(chance.sample(list(seen.cores.items()), len(seen.cores))),
    )
    assert compose(seen.tenant, shuffled) == compose(seen.tenant, seen)


@settings(max_examples=30)
@given(tenants())
def test_nobody_else_calls_and_every_route_has_somewhere_to_go(seen: Seen) -> None:
    """Callers are namespaces that the Tenant owns; a target's upstream is there; a model is offered once."""
    assert seen.tenant is not None
    gateway = compose(seen.tenant, seen).gateway
    assert set(gateway.callers) == {"acme-one", "acme-two"}
    known = {each.name for each in gateway.upstreams}
    for each in gateway.callers.values():
        models = [grant.route.model for grant in each.grants]
        assert len(models) == len(set(models))
        assert all(target.upstream in known for grant in each.grants for target in grant.route.targets)
        assert all(grant.route.pools and all(grant.route.pools) for grant in each.grants)


@settings(max_examples=30)
@given(tenants())
def test_a_provider_taken_away_opens_nothing(seen: Seen) -> None:
    """Whatever could be reached without it could be reached before."""
    assert seen.tenant is not None
    spec = seen.tenant.spec
    assert spec is not None
    less = replace(seen.tenant, spec=spec.model_copy(update={"providers": spec.providers[1:]}))
    before = {each.host for each in compose(seen.tenant, seen).gateway.upstreams}
    after = {each.host for each in compose(less, replace(seen, tenant=less)).gateway.upstreams}
    assert after <= before
