"""The files as data, and ways through them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from ringfence.gateway.lint.finding import Finding

Json: TypeAlias = dict[str, Any]
Node: TypeAlias = tuple[str, str, Any]
"""Where it is, the field that it is in, and what it is. Under a key that somebody chose it is in no field, so that no
word of Envoy's is seen in the name of a model."""

BOOTSTRAP: Final = "bootstrap.json"
LISTENERS: Final = "lds.json"
CLUSTERS: Final = "cds.json"
ROUTES: Final = "rds.json"
CERTIFICATE: Final = "sds-certificate.json"
KEY: Final = "sds-key-"
METADATA: Final = "filter_metadata"
DATUM: Final = "filter_metadata.*"
"""The field of all that is within metadata: data, whatever its keys are."""
KEYED: Final = frozenset(
    {
        *("map", "policies", "providers", "json_format", "static_layer"),
        *("typed_per_filter_config", "typed_extension_protocol_options", METADATA),
    }
)
"""Fields whose own fields are keys that somebody chose."""
_ONE: Final = {LISTENERS: "Listener", ROUTES: "RouteConfiguration", CERTIFICATE: "Secret"}


@dataclass(frozen=True, slots=True)
class Parsed:
    """All files."""

    files: Mapping[str, Any]
    nodes: tuple[Node, ...]
    """Everything in every file."""

    @property
    def listener(self) -> Json:
        """The gateway's listener."""
        return dict(self.files[LISTENERS]["resources"][0])

    @property
    def routes(self) -> Json:
        """The routes."""
        return dict(self.files[ROUTES]["resources"][0])

    @property
    def admission(self) -> Json:
        """The rules by which callers are let in."""
        host = self.routes.get("virtual_hosts", [{}])[0]
        return dict(
            host.get("typed_per_filter_config", {}).get("ringfence.admitted", {}).get("rbac", {}).get("rules", {})
        )

    @property
    def clusters(self) -> list[Json]:
        """The clusters."""
        return list(self.files[CLUSTERS]["resources"])

    def typed(self, name: str) -> Iterator[tuple[str, Json]]:
        """Every message of a type, by the last part of its name."""
        for where, _, value in self.nodes:
            if isinstance(value, dict) and type_of(value).rpartition(".")[2] == name:
                yield where, value


def parse(files: Mapping[str, bytes]) -> Parsed | Finding:
    """The files as data; a finding where they are none that can be judged."""
    try:
        found = {name: orjson.loads(content) for name, content in files.items()}
    except orjson.JSONDecodeError:
        return Finding("files", "", "a file is not JSON")
    for name, wanted in ((BOOTSTRAP, None), (CLUSTERS, None), *_ONE.items()):
        if not _holds(found.get(name), wanted):
            return Finding("files", name, "the file is missing, or holds something else than it should")
    if strange := sorted(name for name in found if name not in _KNOWN and not _is_key(name)):
        return Finding("files", strange[0], "no such file is known")
    return Parsed(found, tuple(node for name, content in found.items() for node in nodes(content, name)))


_KNOWN: Final = {BOOTSTRAP, CLUSTERS, *_ONE}


def nodes(value: Any, where: str) -> Iterator[Node]:
    """Everything in ``value``, itself first."""
    waiting: list[Node] = [(where, "", value)]
    while waiting:
        node = waiting.pop()
        yield node
        place, field, found = node
        if isinstance(found, dict):
            waiting.extend((f"{place}/{key}", _field(field, key), each) for key, each in found.items())
        elif isinstance(found, list):
            waiting.extend((f"{place}/{number}", field, each) for number, each in enumerate(found))


def _field(parent: str, key: str) -> str:
    """What ``key`` is within the field ``parent``: a field itself, unless somebody chose it."""
    if parent in (METADATA, DATUM):
        return DATUM
    return "" if parent in KEYED else key


def type_of(message: Any) -> str:
    """The full name of a message's type; empty where it says none."""
    return str(message.get("@type", "")).removeprefix("type.googleapis.com/") if isinstance(message, dict) else ""


def _holds(content: Any, wanted: str | None) -> bool:
    if not isinstance(content, dict):
        return False
    resources = content.get("resources", [])
    if not isinstance(resources, list):
        return False
    return wanted is None or [type_of(each).rpartition(".")[2] for each in resources] == [wanted]


def _is_key(name: str) -> bool:
    return name.startswith(KEY) and name.endswith(".json")
