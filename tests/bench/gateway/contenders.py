"""What is asked: the bare provider, Ringfence's gateway before it, and LiteLLM's proxy before it.

Both gateways do one job: one route, one key of a caller that is checked, another one that the provider is sent, another
name of the model. Ringfence's speaks TLS with its caller and checks a signature; LiteLLM's speaks plain text and
compares a key. None of them has a database.
"""

import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ringfence.gateway.served import Callers, Encryption, Gateway, Grant, Route, Target, Upstream
from tests.bench.process import MeasuredProcess, Usage, usage
from tests.gateway.certificates import Certificates
from tests.gateway.pod import Pod, free_port
from tests.gateway.tokens import TokenIssuer
from tests.waiting import eventually

LITELLM: Final = "litellm[proxy]==1.106.2"
_PROVIDERS_KEY: Final = "sk-of-the-provider"
_UV: Final = Path(__file__).parents[3] / ".cache" / "uv" / "bin" / "uv"
"""As the Makefile makes it; it finds fitting releases of LiteLLM's hundred dependencies in seconds, pip in minutes."""
_CALLERS_KEY: Final = "sk-of-the-caller"
_STARTS: Final = 180.0  # seconds: LiteLLM imports for a while


@dataclass(frozen=True)
class Contender:
    """Where requests go to, and the process that is measured while they do."""

    name: str
    port: int
    pid: int
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None

    @property
    def usage(self) -> Usage:
        """What its process has used so far."""
        return usage(self.pid)


@contextmanager
def bare(folder: Path) -> Iterator[Contender]:
    """The provider itself."""
    port = free_port()
    with MeasuredProcess(
        (sys.executable, "-m", "tests.bench.gateway.upstream", str(port)), log=folder / "bare.log"
    ) as process:
        eventually(lambda: accepts(port), _STARTS)
        yield Contender("bare provider", port, process.pid)


@contextmanager
def ringfence(folder: Path, provider: int) -> Iterator[Contender]:
    """Envoy with a rendered configuration and the arguments that it is shipped with."""
    certificates, issuer, host = Certificates(folder / "certificates"), TokenIssuer(), "provider.models.svc"
    chat = Route("chat", "chat", "rev-1", ((Target("provider", "gpt-4o"),),))
    gateway = Gateway(
        "acme",
        issuer.issuer,
        (Upstream("provider", host, 8000, encryption=Encryption.NONE),),
        {"acme-dev": Callers("dev", (Grant(chat),))},
    )
    pod = Pod(folder / "pod", certificates, {host: provider})
    try:
        pod.start(gateway, {"provider": _PROVIDERS_KEY})
        assert pod.process
        headers = {"authorization": f"Bearer {issuer.token('acme-dev')}"}
        yield Contender("ringfence", pod.port, pod.process.pid, headers, certificates.trusting("http/1.1"))
    finally:
        pod.stop()


@contextmanager
def litellm(folder: Path, provider: int) -> Iterator[Contender]:
    """LiteLLM's proxy from the package index, in an environment that goes with the folder."""
    program, config, port = _installed(folder / "venv"), folder / "litellm.yaml", free_port()
    sent = {"model": "openai/gpt-4o", "api_base": f"http://127.0.0.1:{provider}/v1", "api_key": _PROVIDERS_KEY}
    # YAML is a superset of JSON.
    config.write_text(
        json.dumps(
            {
                "model_list": [{"model_name": "chat", "litellm_params": sent}],
                "general_settings": {"master_key": _CALLERS_KEY},
            }
        )
    )
    command = (
        str(program),
        "--config",
        str(config),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--telemetry",
        "False",
    )
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    with MeasuredProcess(command, log=folder / "litellm.log", environment=quiet) as process:
        eventually(lambda: started(process, port), _STARTS)
        yield Contender("LiteLLM", port, process.pid, {"authorization": f"Bearer {_CALLERS_KEY}"})


def started(process: MeasuredProcess, port: int) -> bool:
    """Whether it listens; one that has ended never will."""
    process.must_run()
    return accepts(port)


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    with closing(socket.socket()) as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _installed(folder: Path) -> Path:
    """The proxy's program."""
    print(f"installing {LITELLM}", file=sys.stderr, flush=True)
    python = folder / "bin" / "python"
    subprocess.run((_UV, "venv", "--quiet", "--python", sys.executable, folder), check=True)
    subprocess.run((_UV, "pip", "install", "--quiet", "--python", python, LITELLM), check=True)
    return folder / "bin" / "litellm"
