"""What must be found nowhere but where it belongs: prompts, answers, keys and tokens; and who may speak to whom.

Law: a search that finds nothing proves something only if it finds what is there.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import orjson
import pytest

from ringfence.gateway.files import configuration
from ringfence.gateway.served import Route
from tests.gateway import rows_body, rows_http, rows_identity
from tests.gateway.asking import MODELS, Request, body, workload
from tests.gateway.certificates import Certificates
from tests.gateway.provider import ANSWER
from tests.gateway.rows_identity import of
from tests.gateway.world import GPT, HOSTS, KEYS, OPEN, UI, World, route, serving
from tests.waiting import eventually

CANARY: Final = "canary-prompt-c0ffee"
_OUTPUTS: Final = ("/config_dump", "/clusters", "/listeners", "/stats", "/stats/prometheus", "/server_info", "/certs")


def outputs(world: World) -> str:
    """Everything that a gateway writes or tells anybody but a caller and a provider."""
    written = [each.read_text() for each in (world.pod.log, world.pod.access_log)]
    return "\n".join([*written, *map(world.pod.ask, _OUTPUTS)])


def attempts() -> Iterator[Request]:
    """A prompt for every route, in every way in which a request can end."""
    for each in OPEN:
        yield Request(body(each.model, user=CANARY))
        yield Request(body(each.model, user=CANARY, stream=True))
    yield Request(body("guarded", user=CANARY), bearer=of("acme-dev", UI))
    yield Request(body("reports", user=CANARY), bearer=of("acme-prod"))
    for refused in (*rows_body.MODELS[:3], *rows_identity.CALLER_ROWS[:3], *rows_http.PATHS[:3]):
        assert isinstance(refused.attack, Request)
        yield Request(body(user=CANARY), refused.attack.path, bearer=refused.attack.bearer)
    yield Request(body(user=CANARY), headers=(("x-prompt", CANARY),))
    yield Request(body(user=CANARY * 20_000))
    yield Request(body(user=CANARY)[:-3])
    yield Request(b'{"model":"chat","model":"' + CANARY.encode() + b'"}')
    yield Request(body(user=CANARY), f"{MODELS}?{CANARY}", "GET")


def test_no_prompt_answer_key_or_token_is_found_in_any_output(world: World) -> None:
    """Whatever came of a request."""
    statuses = {world.ask(attempt).status for attempt in attempts()}
    world.providers["first"].status = world.providers["second"].status = 500
    statuses.add(world.ask(Request(body(user=CANARY))).status)
    world.providers["first"].status = world.providers["second"].status = 200
    assert {200, 400, 403, 404, 413, 500} <= statuses
    assert any(CANARY.encode() in received.body for _, received in world.received())
    _, last = world.logged(Request())
    found = outputs(world)
    assert str(last["request_id"]) in found, "the search looks where it should"
    signed = workload(world.door.signers).rpartition(".")[0][:60]
    assert [each for each in (CANARY, ANSWER, *KEYS.values(), signed) if each in found] == []


@pytest.mark.parametrize(
    ("extension", "fields", "taken"),
    [
        ("buffer.v3.Buffer", {"max_request_bytes": 1 << 20}, True),
        ("tap.v3.Tap", {"common_config": {"admin_config": {"config_id": "x"}}}, False),
        ("ext_proc.v3.ExternalProcessor", {"grpc_service": {"envoy_grpc": {"cluster_name": "first"}}}, False),
        ("wasm.v3.Wasm", {"config": {"vm_config": {"code": {"local": {"inline_string": "x"}}}}}, False),
    ],
)
def test_what_could_copy_a_prompt_is_not_loaded(
    world: World, extension: str, fields: dict[str, Any], taken: bool
) -> None:
    """Not even by somebody who writes the configuration himself: it is switched off on the command line."""
    files = configuration(world.gateway).files
    listeners = orjson.loads(files["lds.json"])
    (manager,) = listeners["resources"][0]["filter_chains"][0]["filters"]
    added = {"@type": f"type.googleapis.com/envoy.extensions.filters.http.{extension}", **fields}
    manager["typed_config"]["http_filters"].insert(0, {"name": "added", "typed_config": added})
    before = _updates(world)
    world.pod.mount({**files, "lds.json": orjson.dumps(listeners)})
    (outcome,) = eventually(lambda: [name for name, number in _updates(world).items() if number > before[name]])
    assert outcome == ("update_success" if taken else "update_rejected")
    assert world.ask(Request()).status == 200
    world.serve(world.gateway)


def _updates(world: World) -> dict[str, int]:
    """How many changes of listeners were taken, and how many were not."""
    found = world.pod.counters("listener_manager.lds.update_")
    return {name: found[f"listener_manager.lds.{name}"] for name in ("update_success", "update_rejected")}


# --- who speaks to whom


def test_callers_do_not_speak_in_plain_text(world: World) -> None:
    """The same bytes that are answered within TLS."""
    assert world.ask(Request()).status == 200
    with closing(_connected(world.pod.port)) as connection:
        connection.sendall(Request().wire(world.door.signers))
        assert connection.recv(100) == b""


@contextmanager
def altered(world: World, number: int) -> Iterator[tuple[ssl.SSLContext, Route]]:
    """What the first provider speaks TLS with, and a route that has connections of its own to it."""
    context = world.providers["first"].tls
    assert context
    again = route(f"again-{number}", (GPT,), max_parallel=9)
    with serving(world, again):
        yield context, again


def test_a_provider_is_who_the_tenant_approved(world: World) -> None:
    """By the name in its certificate, and by whom that is signed."""
    own = world.pod.certificates
    other = Certificates(own.folder.with_name("other"))
    for number, (signer, host, status) in enumerate(
        ((own, HOSTS["second"], 503), (other, HOSTS["first"], 503), (own, HOSTS["first"], 200))
    ):
        with altered(world, number) as (context, again):
            present(context, signer, host)
            assert world.ask(Request(body(again.model))).status == status


def present(context: ssl.SSLContext, signer: Certificates, host: str) -> None:
    """Show another certificate from now on."""
    for name, content in signer.server(host).items():
        (signer.folder / f"shown-{name}").write_bytes(content)
    context.load_cert_chain(signer.folder / "shown-tls.crt", signer.folder / "shown-tls.key")


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


# --- what is open beside the gateway itself


@pytest.mark.parametrize("path", ["/ready", "/stats/prometheus"])
def test_two_pages_of_the_administration_are_shown(world: World, path: str) -> None:
    """To the kubelet and to whoever collects metrics."""
    assert page(world, "GET", path) == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", each) for each in ("/", "/config_dump", "/stats", "/clusters", "/certs", "/server_info", "/memory")),
        *(("GET", each) for each in ("/ready/../config_dump", "/stats/prometheus/", "//config_dump", "/READY")),
        *(("GET", each) for each in ("/ready/%2e%2e/config_dump", "/ready%2f..%2fconfig_dump", "/ready;x")),
        *(("POST", each) for each in ("/quitquitquit", "/logging?level=trace", "/drain_listeners", "/ready")),
        *(("POST", each) for each in ("/healthcheck/fail", "/reset_counters", "/cpuprofiler?enable=y", "/reopen_logs")),
    ],
)
def test_no_other_page_is(world: World, method: str, path: str) -> None:
    """None that changes anything, or tells the configuration."""
    assert page(world, method, path) in {400, 403, 404}


def page(world: World, method: str, path: str) -> int:
    """The status of a page on the port for metrics."""
    with closing(http.client.HTTPConnection("127.0.0.1", world.pod.metrics_port, timeout=10)) as connection:
        connection.putrequest(method, path)
        connection.endheaders()
        return connection.getresponse().status


def test_the_administration_is_its_own_users(world: World) -> None:
    """A socket that no other user may open."""
    (there,) = world.pod.folder.rglob("admin.sock")
    assert there.stat().st_mode & 0o777 == 0o600
