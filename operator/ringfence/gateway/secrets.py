"""Where Envoy finds what is secret: paths of files, in files. No value is ever here.

The kubelet swaps a mounted Secret as a whole, and Envoy follows: a new key is used from the next request on.
"""

from ringfence.gateway.served import Upstream
from ringfence.gateway.typed import CERTIFICATES, KEYS, TLS, Json, typed

_SECRET = f"{TLS}.Secret"
CERTIFICATE = "gateway"
CERTIFICATE_FILE = "sds-certificate.json"


def key_file(upstream: Upstream) -> str:
    """The file of configuration that says where an upstream's key is."""
    return f"sds-key-{upstream.key}.json"


def provider_key(upstream: Upstream) -> Json:
    """A provider's key."""
    folder = f"{KEYS}/{upstream.key}"
    secret = {"filename": f"{folder}/key", "watched_directory": {"path": folder}}
    return typed(_SECRET, name=upstream.key, generic_secret={"secret": secret})


def certificate() -> Json:
    """The gateway's own certificate and its key."""
    chain, key = {"filename": f"{CERTIFICATES}/tls.crt"}, {"filename": f"{CERTIFICATES}/tls.key"}
    pair = {"certificate_chain": chain, "private_key": key, "watched_directory": {"path": CERTIFICATES}}
    return typed(_SECRET, name=CERTIFICATE, tls_certificate=pair)
