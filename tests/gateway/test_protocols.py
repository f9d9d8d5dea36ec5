"""A scan of every door of a gateway's pod and of everything that it connects to: TLS 1.2 or later, with strong suites.

Law: what is scanned is what the pod and the configuration name; a port or a cluster that no test here knows fails one.
"""

import asyncio
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from ringfence import names
from ringfence.adapters.collector.server import Address, serve
from ringfence.gateway.files import configuration
from ringfence.gateway.served import Encryption, Gateway, Schema, Target
from ringfence.plan.children import gateway_pod
from ringfence.plan.place import Place
from ringfence.usage.page import Page
from tests.gateway.asking import Request, body
from tests.gateway.certificates import Certificates
from tests.gateway.tls_scan import STRONG, STRONG_1_3, TLS_1_2, TLS_1_3, first_record, offered, spoken
from tests.gateway.world import HOSTS, World, route, serving
from tests.waiting import eventually

SERVICE: Final = "limits.ringfence-system.svc:8081"
ENCRYPTED: Final = ("first", "second", "claude", "llama")
"""Upstreams that are spoken to by TLS: public ones, one in Anthropic's words, and a frontend with its own authority."""
PLAIN: Final = {HOSTS["plain"], SERVICE.partition(":")[0]}
"""Hosts of the cluster that are spoken to in plain text: a frontend that has no TLS, and the service that counts."""
VERSIONS: Final = [
    (ssl.TLSVersion.TLSv1, False),
    (ssl.TLSVersion.TLSv1_1, False),
    (ssl.TLSVersion.TLSv1_2, True),
    (ssl.TLSVersion.TLSv1_3, True),
]
KINDS: Final = sorted(set(STRONG.values()))


def written(folder: Path, kind: str) -> list[Path]:
    """A certificate and its key, in files."""
    pair = Certificates(folder).server(kind=kind)
    for name, content in pair.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in pair]


def strong(kind: str) -> dict[int, set[int]]:
    """What is spoken with a certificate of that kind."""
    return {TLS_1_2: {suite for suite, each in STRONG.items() if each == kind}, TLS_1_3: STRONG_1_3}


# --- the scan itself, and what it has to cover


@pytest.mark.parametrize("kind", KINDS)
def test_the_scan_finds_what_is_weak(tmp_path: Path, kind: str) -> None:
    """Old versions, suites without forward secrecy, and such whose records can be changed unseen."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = written(tmp_path, kind)
    context.load_cert_chain(certificate, key)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with listening(lambda connection: context.wrap_socket(connection, server_side=True)) as port:
        found = spoken(port)
    weak = {"ECDSA": {0xC009, 0xC023, 0xCCA9}, "RSA": {0x002F, 0x003C, 0x009C, 0xC013, 0xC027, 0xCCA8}}[kind]
    assert set(found) == {0x0301, 0x0302, TLS_1_2, TLS_1_3}
    assert weak | strong(kind)[TLS_1_2] <= found[TLS_1_2]


def test_every_door_of_the_pod_is_scanned(world: World) -> None:
    """Two of them here, by both kinds of certificates; the third one is plain, and has two pages (test_secrecy)."""
    pod = gateway_pod.template(Place.home("acme", "uid"), gateway_pod.Pod("envoy", "collector", "certificate"))["spec"]
    containers = (*pod["containers"], *pod["initContainers"])
    doors = {port["containerPort"] for container in containers for port in container["ports"]}
    assert doors == {names.GATEWAY_PORT, names.GATEWAY_METRICS_PORT, names.GATEWAY_USAGE_PORT}
    files = {name: orjson.loads(content) for name, content in configuration(world.gateway).files.items()}
    listeners = (*files["lds.json"]["resources"], *files["bootstrap.json"]["static_resources"]["listeners"])
    encrypted = {_port(each): all("transport_socket" in chain for chain in each["filter_chains"]) for each in listeners}
    assert encrypted == {names.GATEWAY_PORT: True, names.GATEWAY_METRICS_PORT: False}


def _port(listener: dict[str, Any]) -> int:
    return int(listener["address"]["socket_address"]["port_value"])


def test_every_upstream_is_scanned(world: World) -> None:
    """Whatever the kind of a provider is; in plain text only what stays in the cluster, and the socket in the pod."""
    gateway = replace(world.gateway, rate_limit_service=SERVICE)
    files = {name: orjson.loads(content) for name, content in configuration(gateway).files.items()}
    clusters = {_host(each): "transport_socket" in each for each in files["cds.json"]["resources"]}
    assert clusters == {**dict.fromkeys(map(HOSTS.__getitem__, ENCRYPTED), True), **dict.fromkeys(PLAIN, False)}
    assert all("svc" in host.split(".") for host in PLAIN)
    (administration,) = files["bootstrap.json"]["static_resources"]["clusters"]
    assert set(_endpoint(administration)["address"]) == {"pipe"}
    scanned = [each for each in gateway.upstreams if each.name in ENCRYPTED]
    assert {each.encryption for each in scanned} == set(Encryption) - {Encryption.NONE}
    assert {each.schema for each in scanned} == set(Schema)


def _endpoint(cluster: dict[str, Any]) -> dict[str, Any]:
    ((endpoint,),) = [each["lb_endpoints"] for each in cluster["load_assignment"]["endpoints"]]
    found: dict[str, Any] = endpoint["endpoint"]
    return found


def _host(cluster: dict[str, Any]) -> str:
    return str(_endpoint(cluster)["address"]["socket_address"]["address"])


# --- the doors


@pytest.mark.parametrize("kind", KINDS)
def test_callers_speak_strong_tls_to_the_gateway(world: World, kind: str) -> None:
    """Or not at all, whichever certificate it has."""
    world.pod.mount_certificate(world.pod.certificates.server(kind=kind))
    eventually(lambda: shown(world.pod.port) == kind)
    assert spoken(world.pod.port) == strong(kind)
    assert world.ask(Request()).status == 200


def shown(port: int) -> str:
    """The kind of the certificate that a server shows: that of the suites which it takes."""
    return STRONG[min(spoken(port)[TLS_1_2])]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_operator_speaks_strong_tls_to_the_collector(tmp_path: Path, kind: str) -> None:
    """The same suites as Envoy's, from the same certificate."""
    written(tmp_path, kind)

    async def pages(_: str) -> Page:
        raise NotImplementedError

    async with serve(Address("127.0.0.1", 0, tmp_path), pages, lambda: b"", lambda: "") as port:
        assert await asyncio.to_thread(spoken, port) == strong(kind)


# --- the upstreams


@dataclass(frozen=True)
class Apart:
    """A gateway with a route and a cluster to each upstream alone, and a connection of its own for each request."""

    world: World
    gateway: Gateway

    def ask(self, upstream: str) -> tuple[int, list[str]]:
        """The status, and who was sent something."""
        status = self.world.ask(Request(body(upstream))).status
        return status, [name for name, _ in self.world.received()]


@pytest.fixture(scope="module")
def apart(world: World) -> Iterator[Apart]:
    """The tenant's gateway, so changed."""
    for provider in world.providers.values():
        provider.parting = True
    with serving(world, *(route(name, (Target(name, "any"),), max_parallel=9) for name in ENCRYPTED)) as changed:
        yield Apart(world, changed)


# Python warns of what these tests are about.
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(("version", "accepted"), VERSIONS)
@pytest.mark.parametrize("upstream", ENCRYPTED)
def test_upstreams_speak_tls_of_today(apart: Apart, upstream: str, version: ssl.TLSVersion, accepted: bool) -> None:
    """Or are sent nothing."""
    context = apart.world.providers[upstream].tls
    assert context
    only(context, version)
    assert apart.ask(upstream) == ((200, [upstream]) if accepted else (503, []))


def only(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """Let it speak no other version; old ones need ciphers that nothing offers any more."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    context.minimum_version = version


@pytest.mark.parametrize("upstream", ENCRYPTED)
def test_upstreams_are_offered_strong_tls_only(apart: Apart, upstream: str) -> None:
    """What is not offered can't be picked, by no provider and by nobody in between (RFC 8446, 4.1.2)."""
    seen: list[bytes] = []
    pod, host = apart.world.pod, HOSTS[upstream]
    with listening(lambda connection: seen.append(first_record(connection))) as port:
        before, pod.addresses[host] = pod.addresses[host], port
        pod.publish(apart.gateway)
        pod.addresses[host] = before
        eventually(lambda: apart.ask(upstream) == (503, []) and seen)
    hello = offered(seen[0])
    assert hello.versions == {TLS_1_2, TLS_1_3}
    assert hello.suites == set(STRONG) | STRONG_1_3


# --- who is connected to


@contextmanager
def listening(converse: Callable[[socket.socket], object]) -> Iterator[int]:
    """Serve each connection so; yields the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                converse(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as serving_all:
        serving_all.daemon_threads = True
        thread = threading.Thread(target=serving_all.serve_forever, args=(0.05,))
        thread.start()
        yield int(serving_all.server_address[1])
        serving_all.shutdown()
        thread.join()
