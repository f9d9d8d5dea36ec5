"""Who belongs to a tenant, in which role, and what an action that matters needs besides."""

from typing import Annotated

from pydantic import Field

from ringfence.model.fields import Duration
from ringfence.model.principals import Principals
from ringfence.model.rules import Model, Unique


class StepUp(Model):
    """A stronger sign-in that sensitive actions need, as the API server sees it in `userInfo.extra`."""

    extra_key: Annotated[str, Field(max_length=128, pattern="^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$")]
    """Key in `userInfo.extra`, in lower case as the API server has it."""
    values: Annotated[
        tuple[Annotated[str, Field(max_length=64, pattern="^[!-~]+$")], ...],
        Field(min_length=1, max_length=8),
        Unique(),
    ]
    """Any one of these values is enough."""


class TenantAccess(Model):
    """The people of the tenant; each role contains the next one."""

    owners: Principals = ()
    """Role owner: everything a tenant may do, with approvals."""
    admins: Principals = ()
    """Role admin: Namespaces, routes, policies and secrets of the tenant."""
    developers: Principals = ()
    """Role developer: workloads."""
    viewers: Principals = ()
    """Role viewer: reads, never secrets."""
    members: Principals = ()
    """Known to the tenant without rights of their own; single Namespaces may give them some."""
    review_every: Duration | None = None
    """How often the lists are to be reviewed; past it the condition AccessReviewDue is raised."""
    step_up: StepUp | None = None
    """What sensitive actions need besides the right to do them; nothing where it is left out."""


class NamespaceAccess(Model):
    """Rights in one Namespace, added to those of the Tenant; only for subjects that the Tenant knows."""

    admins: Principals = ()
    """Role admin in this Namespace."""
    developers: Principals = ()
    """Role developer in this Namespace."""
    viewers: Principals = ()
    """Role viewer in this Namespace."""
