"""Laws of private model frontends, wherever they run and whatever their Services say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence import names
from ringfence.gateway.files import configuration
from ringfence.model.kinds import NAMESPACE, SERVICE, TENANT, Ref
from ringfence.model.modelroute import ModelRouteSpec
from ringfence.model.parse import parse
from ringfence.model.subject import Meta, Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.children import route_revision
from ringfence.plan.difference import relevant
from ringfence.plan.gateway.compose import compose
from ringfence.plan.modelroute.history import Kept
from ringfence.plan.modelroute.revision import revision_of
from ringfence.plan.place import Place
from ringfence.plan.seen import CoreNamespace, Live, Seen
from tests.gateway_world import CHAT, ISSUER, Json, manifest
from tests.laws.test_gateway_laws import ENVIRONMENTS, TIMES, UID, provider, subject, tenant_spec
from tests.objects import service
from tests.simulation import FACTS, START

OPENAI: Final = provider("openai", "eu-central-1")
GOOD: Final[Json] = {}
SERVICES: Final[tuple[Json | None, ...]] = (
    GOOD,
    GOOD,
    None,
    {"selector": {}},
    {"type": "ExternalName", "externalName": "tap.example"},
    {"ports": [{"port": 1, "targetPort": 1}]},
)
"""What else a Service says than the one that is wanted; None where there is none."""


@dataclass(frozen=True)
class World:
    """A Namespace in each environment with a frontend in it, and one route to all of them that serves everywhere."""

    seen: Seen
    tenant: Subject[TenantSpec]
    spec: TenantSpec
    fit: Mapping[str, bool]
    """Whether the frontend of an environment may get anything at all."""

    def reached(self) -> dict[str, set[str]]:
        """Environments whose frontends somebody is led to, by the environment that he is in."""
        callers = compose(self.tenant, self.seen).gateway.callers.values()
        found = {each.environment: {t.upstream for g in each.grants for t in g.route.targets} for each in callers}
        return {environment: upstreams - {"openai"} for environment, upstreams in found.items()}


def frontend(environment: str, chosen: Json) -> Json:
    """A provider that runs in the Namespace of an environment, named after it."""
    found: Json = {"namespace": environment, "name": "llama", "port": 8000}
    key = {"credential": {"secretRef": {"name": f"model-{environment}", "key": "key"}}} if chosen["key"] else {}
    asked = {"environments": chosen["asked"]} if chosen["asked"] else {}
    return {"name": environment, "schema": "OpenAI", "service": found, "models": ["m"], **key, **asked}


choices = st.fixed_dictionaries(
    {
        "asked": st.lists(st.sampled_from(ENVIRONMENTS), max_size=3, unique=True),
        "key": st.sampled_from((False, False, True)),
        "service": st.sampled_from(SERVICES),
        "state": st.sampled_from(("open", "open", "open", "going", "closed", "core going", "another's")),
    }
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any of them protected, each frontend as somebody may have made it."""
    chosen: dict[str, Json] = {name: draw(choices) for name in ENVIRONMENTS}
    protected = draw(st.lists(st.sampled_from(ENVIRONMENTS), max_size=3, unique=True))
    spec = tenant_spec([OPENAI, *(frontend(name, each) for name, each in chosen.items())], protected)
    tenant = subject(Ref(TENANT, "", "acme"), spec, uid=UID)
    route, kept = placed(spec)
    seen = Seen(
        now=START,
        facts=replace(FACTS, issuer=ISSUER),
        tenant=tenant,
        namespaces=tuple(namespace(name, each["state"]) for name, each in chosen.items()),
        routes=(route,),
        cores={f"acme-{name}": core(f"acme-{name}", each["state"]) for name, each in chosen.items()},
        live={kept.ref: kept},
        services={each.ref: each for name, one in chosen.items() for each in services(name, one["service"])},
    )
    fit = {
        name: each["service"] is GOOD and each["state"] == "open" and not each["key"] for name, each in chosen.items()
    }
    return World(seen, tenant, spec, fit)


def placed(spec: TenantSpec) -> tuple[Subject[ModelRouteSpec], Live]:
    """A route to every provider, and the revision of it that serves in every environment."""
    backends = [{"provider": each.name, "model": "m"} for each in spec.providers]
    written = parse(manifest(CHAT, {"model": "chat", "backends": backends})).spec
    assert isinstance(written, ModelRouteSpec)
    revision = revision_of("acme", written, spec)
    assert revision is not None
    everywhere = dict.fromkeys(ENVIRONMENTS, TIMES[0])
    kept = Kept(revision.name, revision, 1, everywhere, everywhere, dict.fromkeys(ENVIRONMENTS, "oidc:ben"))
    child = route_revision.make(Place.home("acme", UID), CHAT.name, "chat", kept)
    promoted = written.model_copy(update={"promotions": dict.fromkeys(ENVIRONMENTS, revision.name)})
    live = Live(child.ref, "kept", "1", ours=True, content=relevant(child.manifest))
    return subject(CHAT, promoted, uid="chat"), live


def namespace(name: str, state: str) -> Subject[Any]:
    ref = Ref(NAMESPACE, "acme", name)
    isolation = "Quarantined" if state == "closed" else "Enforced"
    spec = parse(manifest(ref, {"environment": name, "isolation": isolation})).spec
    meta = Meta(uid=name, generation=1, created="2026-01-01T00:00:00Z", deleting=state == "going")
    return Subject(ref, meta, spec)


def core(name: str, state: str) -> CoreNamespace:
    owner = "another" if state == "another's" else UID
    labels = {names.TENANT_LABEL: "acme", names.OWNER_UID_LABEL: owner}
    return CoreNamespace(name, name, labels, deleting=state == "core going")


def services(name: str, spec: Json | None) -> list[Live]:
    if spec is None:
        return []
    content = service(f"acme-{name}", "llama", 8000, 8080, **spec)
    return [Live(Ref(SERVICE, f"acme-{name}", "llama"), name, "1", ours=False, content=content)]


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_no_prompt_goes_where_more_people_may_read_it(world: World) -> None:
    """From a protected environment to frontends of protected ones, and to none that is not fit; else all are served."""
    protected = {each.name: each.protected for each in world.spec.environments}
    asked = {each.name: each.environments or ENVIRONMENTS for each in world.spec.providers}
    for environment, reached in world.reached().items():
        may = {name for name in ENVIRONMENTS if protected[name] or not protected[environment]}
        assert reached == {name for name in may if world.fit[name] and environment in asked[name]}


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_what_no_environment_may_use_stands_in_no_file(world: World) -> None:
    """Neither the name of its host nor that of its key is in what Envoy reads."""
    used = set[str]().union(*world.reached().values())
    text = b"".join(configuration(compose(world.tenant, world.seen).gateway).files.values())
    for name in set(ENVIRONMENTS) - used:
        assert f"llama.acme-{name}.svc".encode() not in text
        assert f"keys/{name}/".encode() not in text
