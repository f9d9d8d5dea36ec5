"""A tenant with a gateway: a real Envoy, stand-ins for providers, and who calls.

Law: what a test needs to know of the world is a constant here; what happens in it, is asked of it.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ringfence.gateway.served import (
    Callers,
    Encryption,
    Gateway,
    Grant,
    Key,
    Limits,
    Probe,
    Route,
    Schema,
    Target,
    Upstream,
)
from tests.gateway.asking import Answer, Attempt, Door, Request, Strangers
from tests.gateway.certificates import Certificates
from tests.gateway.pod import Pod
from tests.gateway.provider import Provider, Received
from tests.gateway.tokens import uid
from tests.waiting import eventually

MAX_REQUEST_BYTES: Final = 256 << 10
SMALL: Final = 2_000
"""Bytes that the route `small` takes."""
KEYS: Final = {"first": "sk-canary-first", "second": "sk-canary-second", "claude": "sk-canary-claude"}
"""What the tenant pays its providers with."""
HOSTS: Final = {
    "first": "api.first.example",
    "second": "api.second.example",
    "claude": "api.claude.example",
    "llama": "llama.acme-models.svc",
    "plain": "plain.acme-models.svc",
}
UPSTREAMS: Final = (
    Upstream("first", HOSTS["first"], 443),
    Upstream("second", HOSTS["second"], 443, path="/openai/v1"),
    Upstream("claude", HOSTS["claude"], 443, schema=Schema.ANTHROPIC),
    Upstream("plain", HOSTS["plain"], 8000, encryption=Encryption.NONE, has_key=False),
)
"""Without the private frontend, whose authority is made anew each time."""


def route(model: str, *pools: tuple[Target, ...], **limits: int) -> Route:
    """A route of the development environment whose model is called as it is."""
    return Route(model, model, f"rev-{model}", pools, Limits(**limits), "dev")


GPT: Final = Target("first", "gpt-4o")
SPARE: Final = Target("second", "gpt-x")
CHAT: Final = route("chat", (GPT,), (SPARE,))
SHARED: Final = route("shared", (replace(GPT, weight=80), replace(SPARE, weight=20)))
CLAUDE: Final = route("claude", (Target("claude", "claude-haiku"),))
LLAMA: Final = route("llama", (Target("llama", "llama-3.3-70b"),))
PLAIN: Final = route("plain", (Target("plain", "tiny"),))
HASTY: Final = route("hasty", (GPT,), timeout=1)
SMALL_ROUTE: Final = route("small", (GPT,), max_request_bytes=SMALL)
FEW: Final = route("few", (GPT,), requests_per_minute=3)
"""Served where a test asks for it."""
REPORTS: Final = route("reports", (SPARE,))
"""Of the production namespace."""
GUARDED: Final = route("guarded", (GPT,))
"""Of one account alone."""
UI: Final = "chat-ui"
OPEN: Final = (CHAT, SHARED, CLAUDE, LLAMA, PLAIN, HASTY, SMALL_ROUTE)


def key(name: str, *cidrs: str, live: bool = True) -> Key:
    """A gateway key of the development namespace."""
    account = f"ringfence-key-{name}"
    return Key(name, account, uid("acme-dev", account), live, cidrs)


HERE: Final = key("here", "127.0.0.0/8")
ANYWHERE: Final = key("anywhere")
FAR: Final = key("far", "198.51.100.0/24")
TEST_KEY: Final = key("trial", live=False)
PROBE: Final = Probe("ringfence-system", "ringfence-probe")


def gateway(signers: Strangers, authority: str) -> Gateway:
    """What the tenant acme is served."""
    private = Upstream("llama", HOSTS["llama"], 8000, encryption=Encryption.PRIVATE, authority=authority, has_key=False)
    development = (*map(Grant, OPEN), Grant(GUARDED, frozenset({UI})))
    return Gateway(
        "acme",
        signers.issuer.issuer,
        (*UPSTREAMS, private),
        {
            "acme-dev": Callers("dev", development, (HERE, ANYWHERE, FAR, TEST_KEY)),
            "acme-prod": Callers("prod", (Grant(REPORTS),)),
            "acme-empty": Callers("dev"),
        },
        probe=PROBE,
        max_request_bytes=MAX_REQUEST_BYTES,
    )


@dataclass(repr=False)  # a report of a failed test is about what was sent
class World:
    """The tenant's gateway, running."""

    pod: Pod
    providers: Mapping[str, Provider]
    door: Door
    gateway: Gateway

    def ask(self, attempt: Attempt) -> Answer:
        """Send something."""
        return attempt.send(self.door)

    def received(self) -> list[tuple[str, Received]]:
        """What providers were sent since this was asked last, each with the provider's name."""
        found = [(name, each) for name, provider in self.providers.items() for each in provider.received]
        for provider in self.providers.values():
            provider.received.clear()
        return found

    def serve(self, gateway: Gateway) -> None:
        """Change what is served, and wait until it is."""
        wanted = {self.pod.publish(gateway)}
        eventually(lambda: self.pod.revisions() == wanted, 30)
        assert {self.revision()} == wanted

    def revision(self) -> str:
        """Of the configuration that answers now, as the probe is told."""
        asked = Request(b"", "/v1/models", "GET", lambda signers: signers.issuer.token(PROBE.namespace, PROBE.account))
        return self.ask(asked).header("x-ringfence-revision")

    def logged(self, attempt: Attempt) -> tuple[Answer, dict[str, object]]:
        """Send something, and wait for its line of the access log."""
        answer = self.ask(attempt)
        number = answer.header("x-request-id") or answer.json["error"]["request_id"]
        return answer, eventually(
            lambda: next((each for each in self.pod.lines() if each.get("request_id") == number), None)
        )


@contextmanager
def running(folder: Path) -> Iterator[World]:
    """Start everything, and end it."""
    public, private = Certificates(folder / "public"), Certificates(folder / "private")
    signers = Strangers()
    wanted = gateway(signers, private.authority.read_text())
    with ExitStack() as stack:
        contexts = {each: (private if each == "llama" else public).serving(host) for each, host in HOSTS.items()}
        providers = {name: Provider(None if name == "plain" else tls) for name, tls in contexts.items()}
        for provider in providers.values():
            stack.callback(provider.stop)
        pod = Pod(folder / "pod", public, {host: providers[name].port for name, host in HOSTS.items()})
        stack.callback(pod.stop)
        pod.start(wanted, KEYS)
        door = Door(pod.port, public.trusting("http/1.1"), public.trusting("h2"), signers)
        yield World(pod, providers, door, wanted)


@contextmanager
def serving(world: World, *routes: Route, **more: Any) -> Iterator[Gateway]:
    """These routes in two namespaces of one environment, or what else is told, and afterwards what there was."""
    callers = {name: Callers("dev", tuple(map(Grant, routes))) for name in ("acme-dev", "acme-prod")}
    changed = replace(world.gateway, **{"callers": callers, **more})
    world.serve(changed)
    world.received()
    yield changed
    world.serve(world.gateway)
