"""The verdict of the real Envoy on whole configurations, before anybody is served by them.

`--mode validate` does not look into files of listeners, clusters, routes and secrets: here they stand in the bootstrap.
Many gateways are judged by one Envoy, so what must not be there twice gets another name: clusters, and listeners with
their ports. That the routes' clusters are there is not asked of Envoy in a pod either.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from ringfence.controlplane.node.envoy import find_envoy
from ringfence.gateway import command
from ringfence.gateway.bootstrap import BOOTSTRAP, CLUSTERS, LISTENERS
from ringfence.gateway.limits import SERVICE_CLUSTER
from ringfence.gateway.listener import ROUTES_FILE
from ringfence.gateway.typed import CERTIFICATES, KEYS, RUN
from ringfence.gateway.upstreams import PUBLIC_AUTHORITIES
from tests.gateway.certificates import Certificates

Json = dict[str, Any]
Files = Mapping[str, bytes]
_FIRST_PORT: Final = 20_000
_PATIENCE: Final = 60.0  # seconds
_REFUSED: Final = "error initializing configuration"


class Validator:
    """Asks Envoy, whose files are in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._certificates = Certificates(folder / "certificates")
        (folder / RUN.lstrip("/")).mkdir(parents=True)
        for name, content in self._certificates.server().items():
            self._write(f"{CERTIFICATES}/{name}", content)

    @property
    def authority(self) -> str:
        """Certificates of an authority, PEM."""
        return self._certificates.authority.read_text()

    def refusal(self, configurations: Sequence[Files]) -> str:
        """Why Envoy takes not all of these; empty where it does."""
        whole = _static([{name: orjson.loads(content) for name, content in each.items()} for each in configurations])
        for secret in whole["static_resources"]["secrets"]:
            if "generic_secret" in secret:
                self._write(f"{KEYS}/{secret['name']}/key", b"sk-canary")
        asked = self._folder / "static.json"
        asked.write_bytes(self._located(orjson.dumps(whole)))
        arguments = [str(asked) if each == command.STARTS_WITH else each for each in command.arguments()]
        line = [str(find_envoy()), "--mode", "validate", *arguments]
        said = subprocess.run(line, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        return "" if said.returncode == 0 else said.stderr.partition(_REFUSED)[2] or said.stderr

    def _write(self, path: str, content: bytes) -> None:
        file = self._folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def _located(self, content: bytes) -> bytes:
        for path in (CERTIFICATES, KEYS, RUN):
            content = content.replace(path.encode(), f"{self._folder}{path}".encode())
        return content.replace(PUBLIC_AUTHORITIES.encode(), str(self._certificates.authority).encode())


def _static(configurations: Sequence[Mapping[str, Json]]) -> Json:
    """One bootstrap with the resources of all of them."""
    whole: Json = {**configurations[0][BOOTSTRAP]}
    del whole["dynamic_resources"]
    resources = whole["static_resources"]
    clusters = {each["name"]: each for each in resources["clusters"]}
    secrets: dict[str, Json] = {}
    for number, files in enumerate(configurations):
        resources["listeners"] += map(_plain, _listeners(files, number))
        clusters |= {each["name"]: each for each in map(_plain, _clusters(files, number))}
        secrets |= {each["name"]: each for each in map(_plain, _secrets(files))}
    return {
        **whole,
        "static_resources": {**resources, "clusters": [*clusters.values()], "secrets": [*secrets.values()]},
    }


def _listeners(files: Mapping[str, Json], number: int) -> Iterator[Json]:
    (routes,) = files[ROUTES_FILE]["resources"]
    for each in files[LISTENERS]["resources"]:
        address = {"socket_address": {**each["address"]["socket_address"], "port_value": _FIRST_PORT + number}}
        manager = each["filter_chains"][0]["filters"][0]["typed_config"]
        del manager["rds"]
        manager["route_config"] = _plain(routes)
        yield {**each, "name": f"{number}", "address": address}


def _clusters(files: Mapping[str, Json], number: int) -> Iterator[Json]:
    for each in files[CLUSTERS]["resources"]:
        name = each["name"] if each["name"] == SERVICE_CLUSTER else f"{number}:{each['name']}"
        yield {**each, "name": name, "load_assignment": {**each["load_assignment"], "cluster_name": name}}


def _secrets(files: Mapping[str, Json]) -> Iterator[Json]:
    for name, content in files.items():
        if name.startswith("sds-"):
            yield from content["resources"]


def _plain(resource: Json) -> Json:
    """A resource without its type, which its place says, and with secrets from beside it."""
    return {key: _inline(value) for key, value in resource.items() if key != "@type"}


def _inline(value: Any) -> Any:
    if isinstance(value, list):
        return [_inline(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _inline(each) for key, each in value.items() if key != "sds_config"}
