"""What people of a tenant read about its gateway: how pods call it, what it refuses and, at home, how it starts.

Law: every name, address and code is taken from what is served by that name; no value of a Secret is known here.
"""

from functools import lru_cache
from typing import Final

from ringfence import names
from ringfence.gateway import bootstrap, replies, secrets
from ringfence.gateway.command import STARTS_WITH
from ringfence.gateway.listener import ROUTES_FILE
from ringfence.gateway.typed import KEYS
from ringfence.text import template

_NOTES: Final = template(__package__, "gateway_notes.txt.jinja")
_FILES: Final = (
    (bootstrap.LISTENERS, "where it listens, and what happens to each request"),
    (bootstrap.CLUSTERS, "the providers"),
    (ROUTES_FILE, "which model goes where, and for whom"),
    (secrets.CERTIFICATE_FILE, "where its own certificate is mounted"),
    ("sds-key-….json", "where a provider's key is mounted"),
)


@lru_cache(maxsize=256)
def notes(tenant: str, url: str, *, home: bool) -> str:
    """The text for a core namespace, or for the home of the tenant. It changes with the release, and costs 0.1 ms."""
    return _NOTES.render(
        tenant=tenant,
        url=url,
        home=home,
        audience=names.GATEWAY_AUDIENCE,
        authority=names.AUTHORITY,
        config_map=names.GATEWAY_CONFIG_MAP,
        refusals=replies.REFUSALS,
        width=max(len(each.code) for each in replies.REFUSALS),
        bootstrap=STARTS_WITH,
        files=names.GATEWAY_FILES,
        parts=_FILES,
        certificate=f"{names.GATEWAY_TLS_PREFIX}…",
        keys=KEYS,
        key_missing=replies.KEY_MISSING.code,
    )
