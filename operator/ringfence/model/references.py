"""References to secrets and where they are kept; never a secret.

Law: no field of any kind takes a secret's value.
"""

from typing import Annotated, Literal

from pydantic import Field

from ringfence.model.fields import DnsSubdomain
from ringfence.model.rules import Model, Rule

SecretKey = Annotated[str, Field(max_length=253, pattern="^[A-Za-z0-9_][A-Za-z0-9._-]*$")]

_NO_PARENT = Rule("!self.contains('..')", "must not contain ..", lambda text: ".." not in text)
StoreKey = Annotated[str, Field(max_length=253, pattern="^/?[A-Za-z0-9_][A-Za-z0-9_./:@+=-]*$"), _NO_PARENT]
# It ends with a slash: a prefix `acme` would open what belongs to `acme2`.
KeyPrefix = Annotated[str, Field(max_length=200, pattern="^/?([A-Za-z0-9_.:@+=-]+/)+$"), _NO_PARENT]


class StoreRef(Model):
    """A store of the External Secrets Operator."""

    kind: Literal["SecretStore", "ClusterSecretStore"]
    """Kind of the store."""
    name: DnsSubdomain
    """Name of the store."""


class ExternalSecretRef(Model):
    """A value in an external store; the External Secrets Operator fetches it, Ringfence never sees it."""

    store: StoreRef
    """The store, one of the Tenant's `secretStores`."""
    key: StoreKey
    """Key in the store, below the Tenant's prefix."""
    property: SecretKey | None = None
    """Property of a structured value."""
