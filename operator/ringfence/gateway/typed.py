"""Envoy's configuration as data: messages that carry their type.

Source: the API of Envoy 1.40, https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/api.
"""

from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

CONFIGURATION: Final = "/etc/ringfence/config"
"""Where the ConfigMap is mounted."""
CERTIFICATES: Final = "/etc/ringfence/tls"
"""Where the gateway's own certificate is mounted."""
KEYS: Final = "/etc/ringfence/keys"
"""Where providers' keys are mounted: a folder for each."""
RUN: Final = "/run/ringfence"
"""What the gateway writes and the collector reads: its access log."""
ADMINISTRATION: Final = "/run/envoy"
"""Where the socket of Envoy's administration is, which nobody else sees."""

HTTP: Final = "envoy.extensions.filters.http"
TLS: Final = "envoy.extensions.transport_sockets.tls.v3"
TLS_PARAMETERS: Final = {
    "tls_minimum_protocol_version": "TLSv1_2",
    "tls_maximum_protocol_version": "TLSv1_3",
    # Of 1.2; those of 1.3 are no weaker. What Envoy takes by itself changes with its versions.
    "cipher_suites": [
        *("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
        *("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
    ],
}
"""How TLS is spoken, on both sides: what RFC 9325, sections 3.1.1 and 4.2, recommends."""
SOURCE: Final = "ringfence"
"""The namespace of metadata that routes, clusters and the whole of the routes carry."""
# Whatever a client sends under our prefix is taken off before anything else happens.
INTERNAL_PREFIX: Final = "x-rf-"
CALLER_HEADER: Final = "x-rf-caller"
"""Namespace and ServiceAccount, with a slash between them."""
MODEL_HEADER: Final = "x-rf-model"
STREAM_HEADER: Final = "x-rf-stream"
USAGE_HEADER: Final = "x-rf-usage"
"""Whether a streamed answer is asked to say how many tokens it took."""
CHAT: Final = "/v1/chat/completions"
"""The endpoint for chats; for some providers the only one."""
LENGTH_HEADER: Final = "x-rf-length"
"""Bytes of the body as the client sent it."""


_LONGEST: Final = 10 * 365 * 86400
"""Seconds. Envoy counts nanoseconds in 64 bits and refuses whole files for a duration beyond."""


def typed(message: str, /, **fields: Any) -> Json:
    """A message as `google.protobuf.Any`."""
    return {"@type": f"type.googleapis.com/{message}", **fields}


def named(name: str, message: str, /, **fields: Any) -> Json:
    """An extension by its name, with its configuration."""
    return {"name": name, "typed_config": typed(message, **fields)}


def set_header(name: str, value: str) -> Json:
    """A mutation that sets a header, whatever it was."""
    return {"append": {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}


def without_prefix(prefix: str) -> Json:
    """A mutation that removes each header whose name begins with ``prefix``."""
    return {"remove_on_match": {"key_matcher": {"prefix": prefix}}}


def from_file(name: str) -> Json:
    """A source of configuration: a file that the kubelet swaps together with its neighbours.

    The path leads through `..data`, the link that is swapped. A file's own link is made after the swap, so a file that
    is new would not be found by what refers to it (AtomicWriter in kubernetes/pkg/volume/util).
    """
    watched = {"path": f"{CONFIGURATION}/..data/{name}", "watched_directory": {"path": CONFIGURATION}}
    return {"resource_api_version": "V3", "path_config_source": watched}


def seconds(number: float) -> str:
    """A duration to the millisecond; protobuf reads no exponents, which large numbers would be written with."""
    return f"{f'{min(number, _LONGEST):.3f}'.rstrip('0').rstrip('.')}s"
