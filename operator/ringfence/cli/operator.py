"""Puts the operator together from its parts, runs it, and takes it apart again.

Law: this is the one place that knows every adapter.
"""

import asyncio
import gc
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson
import structlog
import uvloop

from ringfence import __version__, names
from ringfence.adapters.clock import SystemClock
from ringfence.adapters.collectors import HttpCollectors
from ringfence.adapters.gateways import HttpGateways
from ringfence.adapters.kubernetes.canary import KubernetesCanary
from ringfence.adapters.kubernetes.client import KubernetesCluster
from ringfence.adapters.kubernetes.config import ConfigError, Connection, from_kubeconfig, in_cluster
from ringfence.adapters.kubernetes.probe import ProbeTokens
from ringfence.adapters.mint import CertificateMint
from ringfence.adapters.probes import serve_probes
from ringfence.adapters.signer import Ed25519Signer, KeyFileError, load_or_create_signer, load_signer
from ringfence.adapters.sqlite.files import parse_url
from ringfence.adapters.sqlite.hold import HeldError, hold
from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.adapters.sqlite.usage import SqliteUsage
from ringfence.engine.election import Candidate
from ringfence.engine.facts import Gateways, Ranges
from ringfence.engine.metrics import Metrics
from ringfence.engine.operator import Engine, LeaseLostError
from ringfence.engine.preflight import RefusedToStartError, preflight
from ringfence.engine.stopping import unless
from ringfence.engine.tuning import Tuning
from ringfence.engine.usage import Sources
from ringfence.handlers.shell import Shell
from ringfence.lineage.canonical import digest
from ringfence.model.addresses import network
from ringfence.model.kinds import LEASE, Ref
from ringfence.plan.images import SHIPPED, Images
from ringfence.plan.seen import CertificateIssuer, RateLimitService
from ringfence.ports.cluster import ClusterError, UnauthorizedError
from ringfence.ports.ledger import ForkRefusedError

log = structlog.get_logger(__name__)

STOPPED: Final = 0  # exit codes
REFUSED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
SUPERSEDED: Final = 4

POD_PORT: Final = 8080
# Fewer, larger collections: what lives long is frozen once everything is known.
GC_THRESHOLDS: Final = (50_000, 20, 20)
_ISSUERS: Final = ("ClusterIssuer", "Issuer")
_SERVICE: Final = re.compile("(?P<name>[a-z]([a-z0-9-]{0,61}[a-z0-9])?):(?P<port>[0-9]{1,5})")
_PORTS: Final = 65_536
_MOST_PROXIES: Final = 16
SIGNING_KEY: Final = "signing-key.pem"


@dataclass(frozen=True, slots=True)
class Settings:
    """What `ringfence run` was told."""

    kubeconfig: Path | None
    context: str | None
    ledger: str
    signing_key: Path | None
    unsafe_admin: bool
    unsafe_without_policies: bool
    metrics_host: str
    metrics_port: int
    identity: str
    resync: float
    checkpoint: float
    writes_per_second: float
    usage: float
    pod_ranges: tuple[str, ...]
    service_ranges: tuple[str, ...]
    node_ranges: tuple[str, ...]
    gateway_image: str = SHIPPED.gateway
    collector_image: str = ""
    certificate_issuer: str = ""
    certificate_authority: str = ""
    rate_limit_service: str = ""
    trusted_proxies: tuple[str, ...] = ()

    def connection(self) -> Connection:
        """Return where the API server is; read anew each time, since credentials change."""
        return from_kubeconfig(self.kubeconfig, self.context) if self.kubeconfig else in_cluster()

    @property
    def unguarded(self) -> bool:
        """Whether nobody is to ask for policies; policies on our identity say nothing about an administrator's."""
        return self.unsafe_without_policies or self.unsafe_admin

    def digest(self) -> str:
        """Return the digest of all of it, for the record."""
        return digest(orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS, default=str))

    def tuning(self, identity: str) -> Tuning:
        """Return what the engine is told."""
        return Tuning(
            identity=identity,
            resync=self.resync,
            checkpoint=self.checkpoint,
            writes_per_second=self.writes_per_second,
            burst=int(2 * self.writes_per_second),
            gateways=self._gateways(),
            ranges=Ranges(pods=self.pod_ranges, services=self.service_ranges, nodes=self.node_ranges),
            configuration_digest=self.digest(),
            image=os.environ.get("RINGFENCE_IMAGE", ""),
        )

    def _gateways(self) -> Gateways:
        """Return what gateways are made of; raises ValueError for a setting that can't be read."""
        collector = self.collector_image or os.environ.get("RINGFENCE_IMAGE") or SHIPPED.collector
        return Gateways(
            images=Images(self.gateway_image, collector),
            certificates=self._certificates(),
            rate_limit_service=self._rate_limit_service(),
            trusted_proxies=self._trusted_proxies(),
        )

    def _certificates(self) -> CertificateIssuer | None:
        if not self.certificate_issuer:
            return None
        kind, _, name = self.certificate_issuer.partition("/")
        if kind not in _ISSUERS or not name:
            raise ValueError(f"--certificate-issuer is KIND/NAME with one of {', '.join(_ISSUERS)}")
        if not self.certificate_authority:
            raise ValueError("--certificate-issuer needs --certificate-authority: by it workloads verify gateways")
        return CertificateIssuer(kind, name, self.certificate_authority)

    def _rate_limit_service(self) -> RateLimitService | None:
        if not self.rate_limit_service:
            return None
        found = _SERVICE.fullmatch(self.rate_limit_service)
        if found is None or not 0 < int(found["port"]) < _PORTS:
            raise ValueError("--rate-limit-service is NAME:PORT, of a Service in the operator's namespace")
        return RateLimitService(found["name"], int(found["port"]))

    def _trusted_proxies(self) -> tuple[str, ...]:
        """Return the networks; Envoy itself would leave out one that it can't read, and trust everybody with none."""
        networks = set(map(_trusted, self.trusted_proxies))
        if len(networks) > _MOST_PROXIES:
            raise ValueError(f"--trusted-proxies are {_MOST_PROXIES} networks at most: they stand beside every key")
        return tuple(sorted(networks))

    def probes_address(self) -> tuple[str, int]:
        """Return host and port for probes: open to the kubelet in a pod, to nobody else outside."""
        host = self.metrics_host or ("127.0.0.1" if self.kubeconfig else "0.0.0.0")  # noqa: S104 -- a pod's probes
        port = self.metrics_port if self.metrics_port >= 0 else (0 if self.kubeconfig else POD_PORT)
        return host, port


def _trusted(text: str) -> str:
    found = network(text)
    if found is None:
        raise ValueError(f"--trusted-proxies is CIDR[,CIDR...] with zero host bits, such as 203.0.113.0/24: {text!r}")
    if not found.prefixlen:
        raise ValueError(f"--trusted-proxies can't be everybody, who could then say anything: {text!r}")
    return str(found)


def run_operator(settings: Settings) -> int:
    """Run until asked to stop; return the exit code."""
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        directory = parse_url(settings.ledger)
        settings.connection()
        with _identity(directory, settings.identity) as identity:
            return _run(settings, _signer(settings, directory), directory, identity)
    except (ValueError, ConfigError) as error:
        return _refuse(error, USAGE)
    except (RefusedToStartError, HeldError, KeyFileError) as error:
        return _refuse(error, REFUSED)
    except UnauthorizedError as error:
        return _refuse(
            f"the API server does not accept the credentials of {settings.kubeconfig or 'this pod'} ({error.message}); "
            f"ask for a new token of ServiceAccount {names.OPERATOR_NAMESPACE}/{names.OPERATOR_SERVICE_ACCOUNT} "
            f"(with annotation {names.BREAK_GLASS_ANNOTATION}, see docs/how-to/install.md)",
            UNREACHABLE,
        )
    except ClusterError as error:
        return _refuse(f"the API server can't be used: {error.message}", UNREACHABLE)


def _run(settings: Settings, signer: Ed25519Signer, directory: Path, identity: str) -> int:
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_operate(settings, signer, directory, identity))
    except ExceptionGroup as group:
        superseded = group.subgroup((LeaseLostError, ForkRefusedError))
        if superseded is None:
            raise
        return _refuse(_innermost(superseded), SUPERSEDED)
    return STOPPED


async def _operate(settings: Settings, signer: Ed25519Signer, directory: Path, identity: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        cluster = KubernetesCluster(settings.connection())
        stack.push_async_callback(cluster.close)
        ledger = SqliteLedger(directory)
        stack.push_async_callback(ledger.close)
        canary = None if settings.unguarded else KubernetesCanary(settings.connection())
        if canary is not None:
            stack.push_async_callback(canary.close)
        tokens = ProbeTokens(settings.connection())
        stack.push_async_callback(tokens.close)
        clock, metrics = SystemClock(), Metrics()
        lease = Ref(LEASE, names.OPERATOR_NAMESPACE, names.LEASE)
        engine = Engine(
            cluster,
            ledger,
            clock,
            candidate=Candidate(cluster, clock, ref=lease, identity=identity),
            signers=(signer,),
            tuning=settings.tuning(identity),
            metrics=metrics,
            canary=canary,
            mint=CertificateMint(clock.monotonic),
            usage=Sources(HttpCollectors(), SqliteUsage(directory), every=settings.usage),
            gateways=HttpGateways(tokens.get),
        )
        host, port = settings.probes_address()
        health = engine.health
        probes = serve_probes(host, port, alive=health.alive, ready=health.ready, metrics=metrics.exposition)
        port = await stack.enter_async_context(probes)
        log.info("starting", version=__version__, identity=identity, probes=f"http://{host}:{port}")
        await unless(stop, preflight(cluster, unsafe_admin=settings.unsafe_admin))
        if not stop.is_set():
            shell = Shell(settings.connection, engine.world.deliver)
            shell.start()
            stack.push_async_callback(shell.stop)
            await engine.run(stop)
    log.info("stopped")


@contextmanager
def _identity(directory: Path, given: str) -> Iterator[str]:
    """Hold the ledger. Where it can't even be locked, run all the same: nothing changes until it can be written."""
    with ExitStack() as stack:
        try:
            name = stack.enter_context(hold(directory))
        except OSError as error:
            log.warning("the ledger can't be locked", directory=str(directory), error=error.strerror)
            name = str(uuid4())
        yield given or f"{names.FIELD_MANAGER}_{name}"


def _signer(settings: Settings, directory: Path) -> Ed25519Signer:
    if settings.signing_key:
        return load_signer(settings.signing_key)
    return load_or_create_signer(directory / SIGNING_KEY)


def _innermost(error: BaseException) -> BaseException:
    """Return the first error of a group of groups: each level of tasks wraps it once more."""
    return _innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _refuse(why: object, code: int) -> int:
    print(f"ringfence run: {why}", file=sys.stderr)
    return code
