"""Who may act: users, groups and service accounts, fully qualified.

Law: nobody is named by a tenant or a platform team who is part of Kubernetes itself (`system:`).
"""

from typing import Annotated, ClassVar

from pydantic import Field

from ringfence.model.fields import DnsLabel, DnsSubdomain
from ringfence.model.rules import Model, Rule, exactly_one_of

Identity = Annotated[
    str,
    # Printable ASCII: two names that look alike in a review are alike.
    Field(max_length=128, pattern="^[!-~]([ -~]*[!-~])?$"),
    Rule(
        "!self.startsWith('system:')",
        "users and groups of system: are refused",
        lambda name: not name.startswith("system:"),
    ),
]


class ServiceAccountRef(Model):
    """A ServiceAccount of any namespace that is not a tenant's."""

    namespace: DnsLabel
    """Core namespace of the ServiceAccount."""
    name: DnsSubdomain
    """Name of the ServiceAccount."""


class Principal(Model):
    """Exactly one of a group, a user and a ServiceAccount."""

    invariants: ClassVar = (exactly_one_of("group", "user", "serviceAccount"),)

    group: Identity | None = None
    """A group as the API server's authenticator names it, with its prefix: `oidc:acme-devs`."""
    user: Identity | None = None
    """A user as the API server's authenticator names it, with its prefix."""
    service_account: ServiceAccountRef | None = None
    """A ServiceAccount, for automation."""


Principals = Annotated[tuple[Principal, ...], Field(max_length=32)]
